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

async function entry(file: Bytes, offset: number): Promise<bigint | undefined> {
  const bytes = await file.read(offset, 8)
  return bytes.length === 8 ? bytes.readBigUInt64BE(0) : undefined
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

/** The cluster that holds a byte of the disk; undefined when it cannot be told. */
async function cluster(file: Bytes, tables: Qcow2Tables, index: number): Promise<Buffer | undefined> {
  const size = 2 ** tables.clusterBits
  const perTable = size / 8
  const l1Index = Math.floor(index / perTable)
  if (!tables.plain || l1Index >= tables.l1Entries) return undefined
  const l1 = await entry(file, tables.l1Offset + l1Index * 8)
  if (l1 === undefined) return undefined
  const table = Number(l1 & offsetMask)
  if (table === 0) return Buffer.alloc(size)
  const l2 = await entry(file, table + (index % perTable) * 8)
  if (l2 === undefined) return undefined
  if ((l2 & compressedFlag) !== 0n) return inflate(file, l2, tables)
  const data = Number(l2 & offsetMask)
  if (data === 0 || (l2 & 1n) !== 0n) return Buffer.alloc(size)
  const bytes = await file.read(data, size)
  // The file may end within the last cluster; what is missing there is zero.
  return bytes.length === size ? bytes : Buffer.concat([bytes], size)
}

/** Reads guest bytes of a QCOW2 that has neither backing nor external data file. */
export function qcow2Reader(file: Bytes, tables: Qcow2Tables): GuestRead {
  const size = 2 ** tables.clusterBits
  return async (offset, length) => {
    const end = Math.min(offset + length, tables.sizeBytes)
    const pieces: Buffer[] = []
    for (let at = offset; at < end; ) {
      const bytes = await cluster(file, tables, Math.floor(at / size))
      if (bytes === undefined) return undefined
      const piece = bytes.subarray(at % size, Math.min(size, (at % size) + end - at))
      if (piece.length === 0) return undefined
      pieces.push(piece)
      at += piece.length
    }
    return Buffer.concat(pieces)
  }
}
