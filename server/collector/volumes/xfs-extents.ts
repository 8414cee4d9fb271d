import { GuestError } from '../guest.ts'
import type { Extent } from './extents.ts'
import { numberAfter } from './text.ts'

const line = /^data offset (\d+) startblock \d+ \((\d+)\/(\d+)\) count (\d+) flag (\d)$/gm

/** Reads what xfs_db prints for bmap behind agblocks and blocksize; pieces that were never written are left out. */
export function parseExtents(text: string): Extent[] {
  const groupBlocks = numberAfter(text, /^agblocks = (\d+)$/m)
  const blockSize = numberAfter(text, /^blocksize = (\d+)$/m)
  if (groupBlocks === undefined || blockSize === undefined)
    throw new GuestError('unreadable', 'xfs_db does not tell the geometry.')
  const extents: Extent[] = []
  let end = 0
  for (const [, offset, group, block, count, unwritten] of text.matchAll(line)) {
    const piece = {
      offset: Number(offset) * blockSize,
      start: (Number(group) * groupBlocks + Number(block)) * blockSize,
      length: Number(count) * blockSize,
    }
    // Pieces on top of each other would make a small file endless work.
    if (piece.offset < end) throw new GuestError('damaged', 'The pieces of a file lie on top of each other.')
    end = piece.offset + piece.length
    if (unwritten === '0') extents.push(piece)
  }
  return extents
}
