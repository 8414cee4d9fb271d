/** A big-endian 64-bit field; above 2^53 it is only known to be absurdly large, and no read at such a place succeeds. */
export function wide(buffer: Buffer, offset: number): number {
  return Number(buffer.readBigUInt64BE(offset))
}
