import type { Volume } from '../../documents/facts.ts'
import { GuestError, type GuestFiles } from '../guest.ts'
import type { Place } from '../tools/place.ts'
import { grubFiles } from './grub-files.ts'
import { settle, startCheck } from './settle.ts'
import { featureNames } from './text.ts'
import type { VolumeDriver, VolumeSource } from './volume.ts'

/** Names that distributions give the subvolume of their root. */
const rootSubvolumes = ['', '/@', '/@rootfs', '/root', '/@/.snapshots/1/snapshot']

interface Superblock {
  readonly facts: Volume
  readonly logged: boolean
}

/** The last number behind a word at the start of a line: the label, which is text of the guest, stands before it. */
function lastNumber(text: string, word: string): number | undefined {
  const found = [...text.matchAll(new RegExp(`^${word}\\t+(\\d+)$`, 'gm'))].at(-1)?.[1]
  return found === undefined ? undefined : Number(found)
}

async function superblock({ tools }: VolumeSource, place: Place): Promise<Superblock> {
  const args = (image: string) => ['inspect-internal', 'dump-super', image]
  const result = await tools.run({ tool: 'btrfs', place, args: ({ image }) => args(image) })
  const text = result.stdout.toString()
  const total = lastNumber(text, 'total_bytes')
  const used = lastNumber(text, 'bytes_used')
  if (result.code !== 0 || total === undefined || used === undefined)
    throw new GuestError('unreadable', 'btrfs could not read the superblock.')
  const flags = [...text.matchAll(/^(?:compat_ro_flags|incompat_flags)\t.*\n((?:\t+.*\n)*)/gm)].map(
    ([, names]) => names,
  )
  return {
    facts: {
      features: featureNames(flags.join(' '), /[\s()|]+/),
      sizeBytes: total,
      freeBytes: Math.max(0, total - used),
    },
    logged: lastNumber(text, 'log_root') !== 0,
  }
}

async function check({ tools }: VolumeSource, place: Place, known: Promise<Superblock>): Promise<Volume> {
  if ((await known).logged) return { check: { result: 'dirty', method: 'flags' } }
  const args = (image: string) => ['check', '--readonly', '--force', image]
  const limits = { seconds: 100 }
  const result = await tools.run({ tool: 'btrfs', place, args: ({ image }) => args(image), limits, heavy: true })
  if (result.code === 0) return { check: { result: 'clean', method: 'full' } }
  if (result.code === 1) return { check: { result: 'errors', method: 'full' } }
  throw new GuestError('unreadable', `btrfs could not check the file system (status ${result.code}).`)
}

/** The files of the subvolume that looks like an installed system, else of the top level. */
async function rootFiles(source: VolumeSource, place: Place): Promise<GuestFiles> {
  const { tools, names } = source
  const grub = { tools, device: '(loop0)', place: async () => place, names }
  const all = rootSubvolumes.map((prefix) => grubFiles(grub, prefix))
  const seen = await Promise.all(all.map(async (files) => (await files.stat('/etc').catch(() => undefined))?.kind))
  return all[seen.indexOf('directory')] ?? grubFiles(grub)
}

/** btrfs. */
export const readBtrfs: VolumeDriver = async (source) => {
  const place = await source.disk.part(source.range.start, source.range.length)
  const known = superblock(source, place)
  const checking = startCheck(source, () => check(source, place, known))
  const [{ facts, missing }, files] = await Promise.all([
    settle([{ pointer: '', ask: async () => (await known).facts }]),
    rootFiles(source, place),
  ])
  return {
    facts,
    missing,
    ...checking,
    files,
    method: 'btrfs inspect-internal, btrfs check --readonly and grub-fstest',
  }
}
