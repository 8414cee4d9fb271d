import type { Disk, Partition } from '../../documents/facts.ts'
import { GuestError, type GuestFiles } from '../guest.ts'
import type { Missing } from '../part.ts'
import type { GuestRead } from '../sniff/result.ts'
import type { Place } from '../tools/place.ts'
import type { Toolbox } from '../tools/toolbox.ts'
import { contentOf, isExtended } from './content.ts'
import { hintedRanges } from './hinted-ranges.ts'
import { type Probe, probeRange } from './probe.ts'
import { type Entry, readTable } from './table.ts'
import type { VirtualDisk } from './virtual-disk.ts'

/** A range of the disk with what blkid saw in it; the bare disk has no partition. */
export interface Range {
  readonly start: number
  readonly length: number
  readonly device: string
  readonly partition?: number
  /** Undefined when it could not be told. */
  readonly probe?: Probe
}

/** The disk's facts as far as its own bytes tell, and the ranges that may hold volumes. */
export interface DiskContents {
  readonly facts: Disk
  readonly ranges: readonly Range[]
  readonly missing: readonly Missing[]
}

/** What the guest's own files add to a partition: the operating-system side fills it in. */
export type PartitionUse = Pick<Partition, 'role' | 'mountPoint' | 'followsRoot'>

/** What the first partition offers: the operating-system side fills it in. */
export type FirstPartition = NonNullable<Disk['firstPartition']>

/** One volume's files by the partition that holds them. */
export type FilesByPartition = ReadonlyMap<number, GuestFiles>

/** A missing entry for what a GuestError kept from being known. Throws what is no GuestError. */
export function missingFrom(error: unknown, pointer: string): Missing {
  if (!(error instanceof GuestError)) throw error
  return { pointer, code: error.code, reason: error.message }
}

/** Asks blkid of a range, once each. */
type AskProbe = (start: number, length: number) => Promise<Probe>

function probing(tools: Toolbox, whole: Place): AskProbe {
  const known = new Map<string, Promise<Probe>>()
  return (start, length) => {
    const key = `${start}-${length}`
    const asked = known.get(key) ?? probeRange(tools, whole, start, length)
    known.set(key, asked)
    return asked
  }
}

/** While sfdisk reads the table, blkid looks where partitions seem to be. */
async function probeHints(ask: AskProbe, disk: VirtualDisk, guest: GuestRead | undefined): Promise<void> {
  for (const { start, length } of await hintedRanges(guest, disk.sizeBytes)) ask(start, length).catch(() => undefined)
}

async function probeEntry(ask: AskProbe, disk: VirtualDisk, entry: Entry): Promise<Probe> {
  if (isExtended(entry)) return {}
  const length = Math.min(entry.length, disk.sizeBytes - entry.start)
  if (length <= 0) throw new GuestError('damaged', 'The partition lies behind the end of the disk.')
  return ask(entry.start, length)
}

/** Reads table and partitions. What cannot be read becomes a missing entry. */
export async function readDisk(tools: Toolbox, disk: VirtualDisk, guest: GuestRead | undefined): Promise<DiskContents> {
  const whole = await disk.whole()
  const ask = probing(tools, whole)
  const reading = Promise.allSettled([readTable(tools, whole, guest), ask(0, disk.sizeBytes)])
  probeHints(ask, disk, guest).catch(() => undefined)
  const [table, bare] = await reading
  // A file system without a table has bytes of its own where a table would stand.
  const bareProbe = bare.status === 'fulfilled' && bare.value.type !== undefined ? bare.value : undefined
  if (bareProbe !== undefined && bareProbe.table === undefined) {
    const range = { start: 0, length: disk.sizeBytes, device: '/dev/sda', probe: bareProbe }
    return { facts: { partitionTable: 'none', partitions: [] }, ranges: [range], missing: [] }
  }
  if (table.status === 'rejected') {
    const missing = ['/disk', '/volumes'].map((pointer) => missingFrom(table.reason, pointer))
    return { facts: {}, ranges: [], missing }
  }
  const { kind, entries } = table.value
  const missing: Missing[] = []
  const probes = await Promise.allSettled(entries.map((entry) => probeEntry(ask, disk, entry)))
  const partitions: Partition[] = []
  const ranges: Range[] = []
  for (const [index, entry] of entries.entries()) {
    const probed = probes[index]
    const probe = probed?.status === 'fulfilled' ? probed.value : undefined
    if (probed?.status === 'rejected') missing.push(missingFrom(probed.reason, `/disk/partitions/${index}/content`))
    const content = probe && contentOf(entry, probe)
    const device = `/dev/sda${entry.number}`
    partitions.push({
      number: entry.number,
      device,
      ...(entry.typeCode === undefined ? {} : { typeCode: entry.typeCode }),
      ...(content === undefined ? {} : { content }),
      startBytes: entry.start,
      sizeBytes: entry.length,
    })
    if (isExtended(entry)) continue
    const length = Math.min(entry.length, disk.sizeBytes - entry.start)
    ranges.push({ start: entry.start, length, device, partition: entry.number, ...(probe ? { probe } : {}) })
  }
  return { facts: { partitionTable: kind, partitions }, ranges, missing }
}
