import type { Bytes } from './bytes.ts'
import { wide } from './fields.ts'
import type { GuestRead } from './result.ts'
import { type Footer, vhdChecksum } from './vhd-footer.ts'

const unused = 0xffffffff

/** Reads the header of a dynamic VHD; undefined when it is not there or cannot be true. */
export async function readDynamic(
  file: Bytes,
  footer: Footer,
): Promise<{ readonly sound: boolean; readonly guest: GuestRead } | undefined> {
  const header = await file.read(Number(footer.dataOffset), 1024)
  if (header.length < 1024 || header.toString('latin1', 0, 8) !== 'cxsparse') return undefined
  const tableOffset = wide(header, 16)
  const entries = header.readUInt32BE(28)
  const blockBytes = header.readUInt32BE(32)
  if (blockBytes < 512 || blockBytes % 512 !== 0 || blockBytes > 268_435_456) return undefined
  if (tableOffset + entries * 4 > file.size || entries * blockBytes < footer.currentBytes) return undefined
  const bitmapBytes = Math.ceil(blockBytes / 512 / 8 / 512) * 512
  const guest: GuestRead = async (offset, length) => {
    const end = Math.min(offset + length, footer.currentBytes)
    const pieces: Buffer[] = []
    for (let at = offset; at < end; ) {
      const size = Math.min(blockBytes - (at % blockBytes), end - at)
      const entry = await file.read(tableOffset + Math.floor(at / blockBytes) * 4, 4)
      if (entry.length < 4) return undefined
      const sector = entry.readUInt32BE(0)
      const piece =
        sector === unused
          ? Buffer.alloc(Math.min(size, 1_048_576))
          : await file.read(sector * 512 + bitmapBytes + (at % blockBytes), size)
      if (piece.length === 0) return undefined
      pieces.push(piece)
      at += piece.length
    }
    return Buffer.concat(pieces)
  }
  return { sound: vhdChecksum(header, 36) === header.readUInt32BE(36), guest }
}
