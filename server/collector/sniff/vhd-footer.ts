import { wide } from './fields.ts'

/** Length of the footer. Unit: bytes. */
export const footerBytes = 512

/** A VHD footer. */
export interface Footer {
  readonly bytes: Buffer
  /** 512, or 511 in files older than Virtual PC 2004. */
  readonly length: number
  readonly type: number
  /** The disk's size as the field Current Size states it. */
  readonly currentBytes: number
  /** What QEMU makes of it: for creators that round to cylinders, heads and sectors it takes the geometry's product. */
  readonly qemuBytes: number
  readonly dataOffset: bigint
  readonly version: string
  /** The checksum is right. */
  readonly sound: boolean
}

/** The checksum of a VHD structure: the ones' complement of the sum of its bytes, the checksum's own left out. */
export function vhdChecksum(bytes: Buffer, field: number): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 1) if (at < field || at >= field + 4) sum += bytes[at] ?? 0
  return ~sum >>> 0
}

const exactCreators = ['win ', 'qem2', 'd2v ', 'tap\0', 'CTXS', 'wa\0\0']
const largestGeometry = 65_535 * 16 * 255

/** The footer that begins at this offset; undefined without its cookie. */
export function parseFooter(area: Buffer, offset: number): Footer | undefined {
  const length = Math.min(area.length - offset, footerBytes)
  if (length < 511 || area.toString('latin1', offset, offset + 8) !== 'conectix') return undefined
  const bytes = Buffer.concat([area.subarray(offset, offset + length)], footerBytes)
  const sectors = bytes.readUInt16BE(56) * bytes.readUInt8(58) * bytes.readUInt8(59)
  const currentBytes = wide(bytes, 48)
  const exact = exactCreators.includes(bytes.toString('latin1', 28, 32)) || sectors === largestGeometry
  return {
    bytes,
    length,
    type: bytes.readUInt32BE(60),
    currentBytes,
    qemuBytes: exact ? currentBytes : sectors * 512,
    dataOffset: bytes.readBigUInt64BE(16),
    version: `${bytes.readUInt16BE(12)}.${bytes.readUInt16BE(14)}`,
    sound: vhdChecksum(bytes, 64) === bytes.readUInt32BE(64),
  }
}
