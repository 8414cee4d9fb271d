import type { GuestRead } from '../sniff/result.ts'

/** A range that an entry of the partition table seems to claim. Unit: bytes. */
export interface HintedRange {
  readonly start: number
  readonly length: number
}

const sector = 512
const mostHints = 4
const gptEntry = 128

function mbrRanges(table: Buffer): HintedRange[] {
  return [0, 1, 2, 3].flatMap((index) => {
    const at = 446 + index * 16
    const [start, length] = [table.readUInt32LE(at + 8) * sector, table.readUInt32LE(at + 12) * sector]
    return table.readUInt8(at + 4) === 0 ? [] : [{ start, length }]
  })
}

function gptRanges(entries: Buffer): HintedRange[] {
  const ranges: HintedRange[] = []
  for (let at = 0; at + gptEntry <= entries.length; at += gptEntry) {
    const [first, last] = [Number(entries.readBigUInt64LE(at + 32)), Number(entries.readBigUInt64LE(at + 40))]
    if (first > 0) ranges.push({ start: first * sector, length: (last - first + 1) * sector })
  }
  return ranges
}

/**
 * Where partitions probably are, by the usual places of their entries, so that a program may look at them while another reads the
 * table. Nothing rests on it: sfdisk alone says what partitions there are.
 */
export async function hintedRanges(read: GuestRead | undefined, sizeBytes: number): Promise<HintedRange[]> {
  const head = await read?.(0, 2 * sector + mostHints * gptEntry)
  if (head === undefined || head.length < 2 * sector + mostHints * gptEntry) return []
  const isGpt = head.toString('latin1', sector, sector + 8) === 'EFI PART'
  const ranges = isGpt ? gptRanges(head.subarray(2 * sector)) : mbrRanges(head)
  return ranges.flatMap(({ start, length }) => {
    const inside = Math.min(length, sizeBytes - start)
    return start > 0 && inside > 0 && Number.isSafeInteger(start) ? [{ start, length: inside }] : []
  })
}
