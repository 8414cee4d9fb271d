import type { Volume } from '../../documents/facts.ts'
import { GuestError } from '../guest.ts'
import { grubFiles } from './grub-files.ts'
import { settle } from './settle.ts'
import { numberAfter } from './text.ts'
import type { VolumeDriver, VolumeSource } from './volume.ts'

async function checked({ tools, disk, range, check }: VolumeSource): Promise<Volume> {
  const place = await disk.part(range.start, range.length)
  const result = await tools.run({ tool: 'fsck.fat', place, args: ({ image }) => ['-n', '-v', image] })
  const text = result.stdout.toString()
  const sectorBytes = numberAfter(text, /^ +(\d+) bytes per logical sector$/m)
  const clusterBytes = numberAfter(text, /^ +(\d+) bytes per cluster$/m)
  const sectors = numberAfter(text, /^ *(\d+) sectors total$/m)
  const [, used, clusters] = /: \d+ files, (\d+)\/(\d+) clusters\s*$/.exec(text) ?? []
  if (sectorBytes === undefined || clusterBytes === undefined || (result.code !== 0 && result.code !== 1))
    throw new GuestError('unreadable', 'fsck.fat could not read the file system.')
  const verdict = /Dirty bit is set/.test(text) ? 'dirty' : result.code === 0 ? 'clean' : 'errors'
  return {
    ...(sectors === undefined ? {} : { sizeBytes: sectors * sectorBytes }),
    ...(clusters === undefined ? {} : { freeBytes: Math.max(0, (Number(clusters) - Number(used)) * clusterBytes) }),
    ...(check ? { check: { result: verdict, method: 'full' } } : {}),
  }
}

/** FAT12, FAT16 and FAT32. */
export const readFat: VolumeDriver = async (source) => {
  const { tools, disk, range, names } = source
  const { facts, missing } = await settle([{ pointer: '', ask: () => checked(source) }])
  const files = grubFiles({ tools, device: '(loop0)', place: () => disk.part(range.start, range.length), names })
  return { facts, missing, files, method: 'fsck.fat -n and grub-fstest' }
}
