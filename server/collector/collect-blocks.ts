import type { Disk, Partition, Volume } from '../documents/facts.ts'
import { GuestError } from './guest.ts'
import type { BlockDevice } from './linux/input.ts'
import type { GuestRead } from './sniff/result.ts'
import { type LogicalVolume, logicalVolumes } from './volumes/lvm.ts'
import { readLvmMember } from './volumes/lvm-member.ts'

/** Names of what stands on the disk, for the sources that fstab writes. */
export interface Blocks {
  /** One for each volume, in their order. */
  readonly ofVolumes: readonly BlockDevice[]
  /** Partitions without a volume: swap areas and whatever has no file system. */
  readonly others: readonly BlockDevice[]
  /** False when some names could not be read. */
  readonly complete: boolean
}

type Names = Pick<BlockDevice, 'partitionUuid' | 'partitionLabel' | 'uuid' | 'label'>

const gptHeaderBytes = 512
const maxEntryBytes = 65_536
const swapPageBytes = 4096

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** A GUID stores its first three fields with the lowest byte first. */
function guidOf(bytes: Buffer): string {
  const [first, second, third, rest] = [
    bytes.subarray(0, 4),
    bytes.subarray(4, 6),
    bytes.subarray(6, 8),
    bytes.subarray(8),
  ]
  return uuidOf(Buffer.concat([...[first, second, third].map((part) => Buffer.from(part).reverse()), rest]))
}

function textOf(bytes: Buffer, encoding: 'utf8' | 'utf16le'): string {
  return bytes.toString(encoding).replace(/\0[\s\S]*$/, '')
}

/** UUIDs and names of a GPT's partitions, by the byte at which they start; undefined when they cannot be read. */
async function gptNames(read: GuestRead): Promise<Map<number, Names> | undefined> {
  for (const sector of [512, 4096]) {
    const header = await read(sector, gptHeaderBytes)
    if (header === undefined || header.length < gptHeaderBytes) return undefined
    if (header.toString('latin1', 0, 8) !== 'EFI PART') continue
    const [start, count, size] = [Number(header.readBigUInt64LE(72)), header.readUInt32LE(80), header.readUInt32LE(84)]
    const bytes = Math.min(count * size, maxEntryBytes)
    const entries = size < 128 || start > 2 ** 40 ? undefined : await read(start * sector, bytes)
    if (entries === undefined) return undefined
    const names = new Map<number, Names>()
    for (let at = 0; at + 128 <= entries.length; at += size) {
      const partitionLabel = textOf(entries.subarray(at + 56, at + 128), 'utf16le')
      const first = Number(entries.readBigUInt64LE(at + 32)) * sector
      if (first > 0) names.set(first, { partitionUuid: guidOf(entries.subarray(at + 16, at + 32)), partitionLabel })
    }
    return names
  }
  return undefined
}

/** On an MBR disk the name is made of the disk's signature and the partition's number. */
async function mbrNames(read: GuestRead, partitions: readonly Partition[]): Promise<Map<number, Names> | undefined> {
  const sector = await read(0, 512)
  if (sector === undefined || sector.length < 512) return undefined
  const signature = sector.readUInt32LE(440).toString(16).padStart(8, '0')
  const named = partitions.map(({ number, startBytes = -1 }) => {
    return [startBytes, { partitionUuid: `${signature}-${number.toString(16).padStart(2, '0')}` }] as const
  })
  return new Map(named)
}

/** UUID and label of a swap area; undefined when they cannot be read, or it is none. */
async function swapNames(read: GuestRead, start: number): Promise<Names | undefined> {
  const page = await read(start, swapPageBytes)
  if (page?.toString('latin1', swapPageBytes - 10) !== 'SWAPSPACE2') return undefined
  const label = textOf(page.subarray(1052, 1068), 'utf8')
  return { uuid: uuidOf(page.subarray(1036, 1052)), ...(label === '' ? {} : { label }) }
}

/** Names of a logical volume below /dev; the mapper's name doubles hyphens and joins group and volume by one. */
function mapperNames(device: string): readonly string[] | undefined {
  const mapper = /^\/dev\/mapper\/(.+)$/.exec(device)?.[1]
  if (mapper === undefined) return undefined
  const [, group, volume] = /^((?:[^-]|--)+)-((?:[^-]|--)+)$/.exec(mapper) ?? []
  if (group === undefined || volume === undefined) return [`mapper/${mapper}`]
  return [`mapper/${mapper}`, `${group.replaceAll('--', '-')}/${volume.replaceAll('--', '-')}`]
}

/** All logical volumes, those without a file system too; none where the metadata cannot be read. */
async function logicalBlocks(
  read: GuestRead | undefined,
  members: readonly number[],
): Promise<readonly LogicalVolume[]> {
  if (read === undefined || members.length === 0) return []
  try {
    return logicalVolumes(await Promise.all(members.map((start) => readLvmMember(read, start))))
  } catch (error) {
    if (error instanceof GuestError) return []
    throw error
  }
}

/** Reads the names by which fstab may call the image's volumes, swap areas and partitions. */
export async function readBlocks(
  disk: Disk | undefined,
  volumes: readonly Volume[],
  read: GuestRead | undefined,
): Promise<Blocks> {
  const partitions = disk?.partitions ?? []
  const isMbr = disk?.partitionTable === 'mbr'
  const table =
    read === undefined || partitions.length === 0
      ? undefined
      : await (isMbr ? mbrNames(read, partitions) : gptNames(read))
  let complete = partitions.length === 0 || table !== undefined
  const namesOf = (number: number | undefined): Names => {
    const start = partitions.find((partition) => partition.number === number)?.startBytes
    return (number === undefined || start === undefined ? undefined : table?.get(start)) ?? {}
  }
  const ofVolumes = volumes.map(({ device = '', label, partitionNumber, uuid }): BlockDevice => {
    const mapper = mapperNames(device)
    return {
      device,
      ...namesOf(partitionNumber),
      ...(partitionNumber === undefined ? {} : { partitionNumber }),
      ...(uuid === undefined ? {} : { uuid }),
      ...(label === undefined ? {} : { label }),
      ...(mapper === undefined ? {} : { mapperNames: mapper }),
    }
  })
  const others: BlockDevice[] = []
  const members = partitions.flatMap(({ content, startBytes }) => {
    return content === 'lvm' && startBytes !== undefined ? [startBytes] : []
  })
  for (const { device, start } of await logicalBlocks(read, members)) {
    if (volumes.some((volume) => volume.device === device)) continue
    const swap = read === undefined || start === undefined ? undefined : await swapNames(read, start)
    others.push({ device, mapperNames: mapperNames(device) ?? [], ...swap })
  }
  for (const { content, device = '', number, startBytes } of partitions) {
    if (volumes.some(({ partitionNumber }) => partitionNumber === number)) continue
    const isSwap = content === 'swap' && startBytes !== undefined
    const swap = isSwap && read !== undefined ? await swapNames(read, startBytes) : undefined
    if (isSwap && swap === undefined) complete = false
    others.push({ device, partitionNumber: number, ...namesOf(number), ...swap })
  }
  return { ofVolumes, others, complete }
}
