import { GuestError } from '../guest.ts'
import { numberAfter } from './text.ts'
import type { VolumeSource } from './volume.ts'

/** A piece of a file and where it lies in the file system. Unit: bytes. */
export interface Extent {
  readonly offset: number
  readonly start: number
  readonly length: number
}

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

/** The content of a file by our own reader of the container; undefined where that cannot tell. Throws a GuestError. */
export async function readExtents(
  { guest, range }: VolumeSource,
  extents: readonly Extent[],
  sizeBytes: number,
): Promise<Buffer | undefined> {
  if (guest === undefined) return undefined
  const content = Buffer.alloc(sizeBytes)
  for (const { offset, start, length } of extents) {
    const wanted = Math.min(length, sizeBytes - offset)
    if (wanted > 0 && start + wanted > range.length)
      throw new GuestError('damaged', 'A piece of a file lies behind the end of the file system.')
    for (let done = 0; done < wanted; ) {
      const bytes = await guest(range.start + start + done, wanted - done)
      if (bytes === undefined || bytes.length === 0) return undefined
      bytes.copy(content, offset + done)
      done += bytes.length
    }
  }
  return content
}
