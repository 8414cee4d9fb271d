import type { Extent } from './extents.ts'

/** More pieces than a file has that is worth reading without debugfs. */
const mostExtents = 4096
/** Content that is compressed, encrypted or in the inode itself. */
const otherContent = 0x1000_0804
const byExtents = 0x8_0000
const extent = /^\((\d+)(?:-(\d+))?(\[u\])?\):(\d+)(?:-\d+)?$/

/**
 * Where the blocks of a regular file lie, by what debugfs prints for stat; what was never written is left out. Undefined where that does
 * not tell, or not plainly.
 */
export function parseExtExtents(text: string, blockSize: number): Extent[] | undefined {
  const flags = Number.parseInt(/^Inode: \d+ +Type: regular .* Flags: 0x([0-9a-f]+)$/m.exec(text)?.[1] ?? '0', 16)
  // Extended attributes, which are text of the guest, stand before.
  const at = text.lastIndexOf('\nEXTENTS:\n')
  if ((flags & byExtents) === 0 || (flags & otherContent) !== 0 || at < 0) return undefined
  const pieces = text
    .slice(at + '\nEXTENTS:\n'.length)
    .trim()
    .split(', ', mostExtents + 1)
  if (pieces.length > mostExtents) return undefined
  const extents: Extent[] = []
  let end = 0
  for (const piece of pieces) {
    if (/^\(ETB\d+\):\d+$/.test(piece)) continue
    const [, first, last = first, unwritten, start] = extent.exec(piece) ?? []
    const [offset, length] = [Number(first), Number(last) - Number(first) + 1]
    if (start === undefined || offset < end || length < 1) return undefined
    end = offset + length
    if (unwritten !== undefined) continue
    extents.push({ offset: offset * blockSize, start: Number(start) * blockSize, length: length * blockSize })
  }
  return extents
}
