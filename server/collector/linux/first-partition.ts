import type { Disk } from '../../documents/facts.ts'
import type { Missing } from '../part.ts'
import type { GuestVolume, LinuxInput } from './input.ts'
import type { Layout } from './roles.ts'
import { stated } from './text.ts'
import { missing, missingFor } from './topic.ts'

/** The volume on the partition with the lowest number, which a customized Linux image is configured on. */
function firstVolume(input: LinuxInput): GuestVolume | undefined {
  const numbers = (input.disk?.partitions ?? []).map(({ number }) => number)
  const first = Math.min(...numbers)
  return input.volumes.find(({ block }) => block.partitionNumber === first)
}

/** What a customized Linux image must offer on its first partition. */
export async function firstPartition(
  input: LinuxInput,
  layout: Layout,
): Promise<{ facts: Disk['firstPartition']; missing: Missing[] }> {
  const pointer = '/disk/firstPartition'
  const volume = firstVolume(input)
  if (volume === undefined) {
    return {
      facts: undefined,
      missing: [missing(pointer, 'no-file-system', 'The first partition holds no known file system.')],
    }
  }
  const lost: Missing[] = []
  const mountedReadOnly = layout.mounts.some((mount) => mount.volume === volume && mount.readOnly)
  const writable = mountedReadOnly ? false : volume.writable
  if (writable === undefined) {
    lost.push(missing(`${pointer}/writable`, 'undeterminable', 'Whether the file system can be written is not known.'))
  }
  let customImageDirectory: boolean | undefined
  if (volume.files === undefined) {
    lost.push(missing(`${pointer}/customImageDirectory`, 'unreadable', 'The file system cannot be read.'))
  } else {
    try {
      customImageDirectory = (await volume.files.stat('/aliyun_custom_image'))?.kind === 'directory'
    } catch (error) {
      lost.push(...missingFor([`${pointer}/customImageDirectory`], 'the first partition', error))
    }
  }
  const facts = stated({ writable, fileSystem: volume.facts.fileSystem, customImageDirectory })
  return { facts: Object.keys(facts).length > 0 ? facts : undefined, missing: lost }
}
