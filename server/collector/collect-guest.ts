import type { Disk, Volume } from '../documents/facts.ts'
import { readBlocks } from './collect-blocks.ts'
import { decompressIn } from './collect-decompress.ts'
import { GuestError } from './guest.ts'
import type { OpenImage } from './image.ts'
import { collectLinux } from './linux/collect.ts'
import type { LinuxInput } from './linux/input.ts'
import { largeSystem, startEarly, UnpackThread } from './linux/unpack-thread.ts'
import type { Facts, Missing, Part } from './part.ts'
import type { GuestRead } from './sniff/result.ts'
import type { OpenVolume } from './volumes/volume.ts'
import { collectWindows } from './windows/collect.ts'
import { hivesIn } from './windows/hive-tool.ts'

const readOnlyTypes = new Set(['squashfs', 'iso9660'])
const writableTypes = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'ntfs',
  'fat12',
  'fat16',
  'fat32',
  'exfat',
  'ufs',
])

/** Whether a system could write to a volume, by its type and features. */
function writable({ fileSystem, features }: Volume): boolean | undefined {
  if (fileSystem === undefined) return undefined
  if (readOnlyTypes.has(fileSystem) || features?.includes('read-only') === true) return false
  return writableTypes.has(fileSystem) ? true : undefined
}

/** How the guest is read. */
export interface GuestOptions {
  /** Compare packaged system files with the package database, which takes seconds. */
  readonly systemFiles: boolean
  /** Reads the disk's own bytes; undefined where that is not possible. */
  readonly read: GuestRead | undefined
  /** Told once or more when the longest reading goes on by itself. */
  readonly onReading?: (() => void) | undefined
}

/** The guest's parts, or why there are none. */
type Attempt = { readonly parts: readonly Part[]; readonly failure?: Missing }

async function attempt(collect: () => Promise<readonly Part[]>): Promise<Attempt> {
  try {
    return { parts: await collect() }
  } catch (error) {
    // What another error says may quote the guest.
    const known = error instanceof GuestError
    const reason = known
      ? error.message
      : `Reading the guest failed (${error instanceof Error ? error.name : 'unknown'}).`
    return { parts: [], failure: { pointer: '/os', code: known ? error.code : 'parser-failed', reason } }
  }
}

const linuxTypes: ReadonlySet<string> = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs'])

function holdsLarge({ facts: { fileSystem, sizeBytes = 0, freeBytes = 0 } }: OpenVolume): boolean {
  return fileSystem !== undefined && linuxTypes.has(fileSystem) && sizeBytes - freeBytes > largeSystem
}

async function linuxInput(
  open: OpenImage,
  disk: Disk | undefined,
  options: GuestOptions,
): Promise<Omit<LinuxInput, 'packedNames'>> {
  const facts = open.volumes.map((volume) => volume.facts)
  const blocks = await readBlocks(disk, facts, options.read)
  const volumes = open.volumes.map((volume, index) => {
    const write = writable(volume.facts)
    return {
      facts: volume.facts,
      block: blocks.ofVolumes[index] ?? { device: volume.facts.device ?? '' },
      ...(volume.files === undefined ? {} : { files: volume.files }),
      ...(write === undefined ? {} : { writable: write }),
    }
  })
  return {
    volumes,
    otherBlocks: blocks.others,
    complete: open.volumesComplete && blocks.complete,
    ...(disk === undefined ? {} : { disk }),
    decompress: decompressIn(open.tools),
    verifySystemFiles: options.systemFiles,
    ...(options.onReading ? { onReading: options.onReading } : {}),
  }
}

/** Told the size of a container before it is known what it holds. Unit: bytes. */
export function prepareGuest(sizeBytes: number): void {
  if (sizeBytes >= largeSystem) startEarly()
}

/** The thread starts before the files are looked for that it will unpack. */
async function linuxParts(open: OpenImage, disk: Disk | undefined, options: GuestOptions): Promise<readonly Part[]> {
  const thread = open.volumes.some(holdsLarge) ? new UnpackThread() : undefined
  try {
    const input = await linuxInput(open, disk, options)
    return await collectLinux(thread ? { ...input, packedNames: (kind, pieces) => thread.names(kind, pieces) } : input)
  } finally {
    await thread?.close()
    options.onReading?.()
  }
}

function hasSystem(parts: readonly Part[]): boolean {
  return parts.some(({ facts }) => facts.os?.type !== undefined)
}

/** A list of volumes that may not be complete is left out. */
function withoutVolumes({ facts: { volumes: _volumes, ...facts }, ...part }: Part): Part {
  return { ...part, facts }
}

/**
 * Finds out whether a Windows, Linux or FreeBSD system is installed and collects what it tells. An image with two of them, or with
 * none, gives no facts of a guest and says so.
 */
export async function collectGuest(
  open: OpenImage,
  disk: Facts['disk'],
  options: GuestOptions,
): Promise<readonly Part[]> {
  if (open.volumes.length === 0) return []
  const [windows, linux] = await Promise.all([
    attempt(() => collectWindows(open.volumes, disk, hivesIn(open.tools))),
    attempt(() => linuxParts(open, disk, options)),
  ])
  const method = 'files of every volume'
  if (hasSystem(windows.parts) && hasSystem(linux.parts)) {
    const reason = 'The image holds a Windows system and another one; which of them starts cannot be told.'
    return [{ facts: {}, method, missing: [{ pointer: '/os', code: 'ambiguous', reason }] }]
  }
  if (windows.parts.length > 0) return open.volumesComplete ? windows.parts : windows.parts.map(withoutVolumes)
  if (linux.parts.length > 0) return linux.parts
  const failures = [windows.failure, linux.failure].filter((failure) => failure !== undefined)
  const none = { pointer: '/os', code: 'no-system', reason: 'No volume that can be read holds an installed system.' }
  return [{ facts: {}, method, missing: failures.length > 0 ? failures : [none] }]
}
