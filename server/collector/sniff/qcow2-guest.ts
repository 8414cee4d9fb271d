import { constants, inflateRawSync } from 'node:zlib'
import type { Bytes } from './bytes.ts'
import type { GuestRead } from './result.ts'

/** Where a QCOW2 keeps its tables. */
export interface Qcow2Tables {
  readonly clusterBits: number
  /** Unit: bytes. */
  readonly sizeBytes: number
  readonly l1Entries: number
  readonly l1Offset: number
  /** Compressed clusters are deflate. */
  readonly deflate: boolean
  /** Entries of the second table are 8 bytes, without subclusters. */
  readonly plain: boolean
}

const offsetMask = 0x00fffffffffffe00n
const compressedFlag = 1n << 62n

/** Reads one entry of a table; undefined behind the end of the file. */
type ReadEntry = (offset: number) => Promise<bigint | undefined>

const windowBytes = 4096

/** Reads entries and keeps what stands around the last one: what is read lies together mostly. */
function entryReader(file: Bytes): ReadEntry {
  let known = -1
  let window: Promise<Buffer> | undefined
  return async (offset) => {
    const start = offset - (offset % windowBytes)
    if (window === undefined || start !== known) window = file.read(start, windowBytes)
    known = start
    const bytes = await window
    return bytes.length >= offset - start + 8 ? bytes.readBigUInt64BE(offset - start) : undefined
  }
}

/** A compressed cluster as plain bytes; undefined when it is not deflate or is damaged. */
async function inflate(file: Bytes, l2: bigint, tables: Qcow2Tables): Promise<Buffer | undefined> {
  if (!tables.deflate) return undefined
  const offsetBits = BigInt(62 - (tables.clusterBits - 8))
  const offset = Number(l2 & ((1n << offsetBits) - 1n))
  const sectors = Number((l2 & (compressedFlag - 1n)) >> offsetBits) + 1
  const packed = await file.read(offset, sectors * 512 - (offset % 512))
  try {
    const size = 2 ** tables.clusterBits
    return inflateRawSync(packed, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: size })
  } catch {
    return undefined
  }
}

interface Entries {
  readonly first: ReadEntry
  readonly second: ReadEntry
}

/** Where the bytes of a cluster are: as they are from an offset on, compressed, or nowhere because they are zero. */
type Found = { readonly plain: number } | { readonly packed: bigint } | 'zero'

/** The cluster with this number; undefined when it cannot be told. */
async function locate(tables: Qcow2Tables, entries: Entries, index: number): Promise<Found | undefined> {
  const perTable = 2 ** tables.clusterBits / 8
  const l1Index = Math.floor(index / perTable)
  if (!tables.plain || l1Index >= tables.l1Entries) return undefined
  const l1 = await entries.first(tables.l1Offset + l1Index * 8)
  if (l1 === undefined) return undefined
  const table = Number(l1 & offsetMask)
  if (table === 0) return 'zero'
  const l2 = await entries.second(table + (index % perTable) * 8)
  if (l2 === undefined) return undefined
  if ((l2 & compressedFlag) !== 0n) return { packed: l2 }
  const data = Number(l2 & offsetMask)
  return data === 0 || (l2 & 1n) !== 0n ? 'zero' : { plain: data }
}

/** What is read of the file at once. Unit: bytes. */
const longestRun = 4_194_304

/** Reads guest bytes of a QCOW2 that has neither backing nor external data file. */
export function qcow2Reader(file: Bytes, tables: Qcow2Tables): GuestRead {
  const size = 2 ** tables.clusterBits
  const entries = { first: entryReader(file), second: entryReader(file) }
  /** Whole clusters from this number on, more than one where they lie together; undefined when it cannot be told. */
  const clusters = async (index: number, most: number): Promise<Buffer | undefined> => {
    const found = await locate(tables, entries, index)
    if (found === undefined) return undefined
    if (found === 'zero') return Buffer.alloc(size)
    if ('packed' in found) return inflate(file, found.packed, tables)
    let count = 1
    for (; count < most && (count + 1) * size <= longestRun; count += 1) {
      const next = await locate(tables, entries, index + count)
      if (typeof next !== 'object' || !('plain' in next) || next.plain !== found.plain + count * size) break
    }
    const bytes = await file.read(found.plain, count * size)
    // The file may end within the last cluster; what is missing there is zero.
    return bytes.length === count * size ? bytes : Buffer.concat([bytes], count * size)
  }
  return async (offset, length) => {
    const end = Math.min(offset + length, tables.sizeBytes)
    const pieces: Buffer[] = []
    for (let at = offset; at < end; ) {
      const index = Math.floor(at / size)
      const bytes = await clusters(index, Math.ceil(end / size) - index)
      if (bytes === undefined) return undefined
      const piece = bytes.subarray(at % size, Math.min(bytes.length, (at % size) + end - at))
      if (piece.length === 0) return undefined
      pieces.push(piece)
      at += piece.length
    }
    const [first] = pieces
    return pieces.length === 1 ? first : Buffer.concat(pieces)
  }
}
