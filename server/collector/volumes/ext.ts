import type { Volume } from '../../documents/facts.ts'
import { GuestError } from '../guest.ts'
import { extFiles } from './ext-files.ts'
import { extImage } from './ext-image.ts'
import { settle, startCheck } from './settle.ts'
import { featureNames, numberAfter } from './text.ts'
import type { VolumeDriver, VolumeSource } from './volume.ts'

/** What tune2fs -l tells. */
interface Superblock {
  readonly facts: Volume
  /** Unit: bytes. */
  readonly blockSize: number
  readonly recovery: boolean
  readonly state: string
}

async function superblock({ tools, disk, range }: VolumeSource): Promise<Superblock> {
  const place = await disk.part(range.start, range.length, 'offsets')
  const result = await tools.run({ tool: 'tune2fs', place, args: ({ image }) => ['-l', extImage(image, place)] })
  const text = result.stdout.toString()
  if (result.code !== 0) throw new GuestError('unreadable', 'tune2fs could not read the superblock.')
  // The volume's name comes first and is text of the guest: what counts stands behind its UUID.
  const known = text.slice(Math.max(0, text.lastIndexOf('\nFilesystem magic number:')))
  const blockSize = numberAfter(known, /^Block size: +(\d+)$/m)
  const blocks = numberAfter(known, /^Block count: +(\d+)$/m)
  const free = numberAfter(known, /^Free blocks: +(\d+)$/m)
  const names = /^Filesystem features: +(.*)$/m.exec(known)?.[1]
  if (blockSize === undefined || blocks === undefined || free === undefined || names === undefined)
    throw new GuestError('unreadable', 'tune2fs does not tell sizes and features.')
  const features = featureNames(names, /\s+/).filter((name) => name !== 'none')
  return {
    facts: { features, sizeBytes: blocks * blockSize, freeBytes: free * blockSize },
    blockSize,
    recovery: features.includes('needs_recovery'),
    state: /^Filesystem state: +(.*)$/m.exec(known)?.[1] ?? '',
  }
}

/** What e2fsck asks for ahead by itself is more than it needs, and through FUSE each piece costs: so it takes half the time. Unit: KiB. */
const readahead = 32

/** A journal that needs replay is dirty whatever e2fsck says, which would pass over it. */
async function check(source: VolumeSource, known: Promise<Superblock>): Promise<Volume> {
  const { facts, recovery, state } = await known
  if (state.includes('with errors')) return { check: { result: 'errors', method: 'flags' } }
  if (recovery || !/^clean\b/.test(state)) return { check: { result: 'dirty', method: 'flags' } }
  const { tools, disk, range } = source
  // e2fsck must see where the partition ends when the file system says that it is larger.
  const fits = facts.sizeBytes !== undefined && facts.sizeBytes <= range.length
  const place = await disk.part(range.start, range.length, fits ? 'offsets' : undefined)
  const result = await tools.run({
    tool: 'e2fsck',
    place,
    args: ({ image }) => ['-f', '-n', '-E', `readahead_kb=${readahead}`, extImage(image, place)],
    limits: { seconds: 100 },
    heavy: true,
  })
  if (result.code === 0) return { check: { result: 'clean', method: 'full' } }
  if (result.code === 4) return { check: { result: 'errors', method: 'full' } }
  throw new GuestError('unreadable', `e2fsck could not check the file system (status ${result.code}).`)
}

/** ext2, ext3 and ext4. */
export const readExt: VolumeDriver = async (source) => {
  const known = superblock(source)
  const checking = startCheck(source, () => check(source, known))
  const blockSize = known.then(
    (found) => found.blockSize,
    () => undefined,
  )
  const files = extFiles(source, blockSize)
  // Whatever is looked for, debugfs will be asked, so it starts beside tune2fs.
  files.stat('/').catch(() => undefined)
  const { facts, missing } = await settle([{ pointer: '', ask: async () => (await known).facts }])
  return {
    facts,
    missing,
    ...checking,
    files,
    method: 'tune2fs -l, e2fsck -fn and debugfs',
  }
}
