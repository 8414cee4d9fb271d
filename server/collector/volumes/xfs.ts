import type { Volume } from '../../documents/facts.ts'
import { GuestError } from '../guest.ts'
import { settle, startCheck } from './settle.ts'
import { featureNames, numberAfter } from './text.ts'
import type { VolumeDriver, VolumeSource } from './volume.ts'
import { xfsFiles } from './xfs-files.ts'

async function superblock({ tools, disk, range }: VolumeSource): Promise<Volume> {
  const place = await disk.part(range.start, range.length)
  const fields = 'print blocksize dblocks fdblocks'
  const args = (image: string) => ['-r', '-f', '-c', 'sb 0', '-c', fields, '-c', 'version', image]
  const result = await tools.run({ tool: 'xfs_db', place, args: ({ image }) => args(image) })
  const text = result.stdout.toString()
  const blockSize = numberAfter(text, /^blocksize = (\d+)$/m)
  const blocks = numberAfter(text, /^dblocks = (\d+)$/m)
  const free = numberAfter(text, /^fdblocks = (\d+)$/m)
  const names = /^versionnum \[.*\] = (.*)$/m.exec(text)?.[1]
  if (blockSize === undefined || blocks === undefined || free === undefined || names === undefined)
    throw new GuestError('unreadable', 'xfs_db could not read the superblock.')
  const features = featureNames(names, /,/)
  return { features, sizeBytes: blocks * blockSize, freeBytes: free * blockSize }
}

/** A log that needs replay is dirty; xfs_repair passes over it with a warning, and its status then tells nothing. */
async function check({ tools, disk, range }: VolumeSource): Promise<Volume> {
  const result = await tools.run({
    tool: 'xfs_repair',
    place: await disk.part(range.start, range.length),
    args: ({ image }) => ['-n', '-f', image],
    // It insists on raising the limit of file sizes and ends when it may not; it has nowhere to write.
    limits: { seconds: 100, fileBytes: Number.POSITIVE_INFINITY },
    heavy: true,
  })
  const words = `${result.stdout.toString()}\n${result.stderr}`
  if (/valuable metadata changes in a log|metadata changes in a log which/.test(words))
    return { check: { result: 'dirty', method: 'flags' } }
  if (result.code === 0) return { check: { result: 'clean', method: 'full' } }
  if (result.code === 1 && words.includes('Phase 2')) return { check: { result: 'errors', method: 'full' } }
  throw new GuestError('unreadable', `xfs_repair could not check the file system (status ${result.code}).`)
}

/** XFS. */
export const readXfs: VolumeDriver = async (source) => {
  const checking = startCheck(source, () => check(source))
  const { facts, missing } = await settle([{ pointer: '', ask: () => superblock(source) }])
  return { facts, missing, ...checking, files: xfsFiles(source), method: 'xfs_db, xfs_repair -n and grub-fstest' }
}
