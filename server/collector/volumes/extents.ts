import { GuestError } from '../guest.ts'
import type { VolumeSource } from './volume.ts'

/** A piece of a file and where it lies in the file system. Unit: bytes. */
export interface Extent {
  readonly offset: number
  readonly start: number
  readonly length: number
}

/** What is given at once. Unit: bytes. */
const pieceBytes = 1_048_576

function* zeros(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= pieceBytes) yield Buffer.alloc(Math.min(left, pieceBytes))
}

/**
 * The content of a file by our own reader of the container, in pieces; it ends before the file does where that reader cannot tell.
 * Throws a GuestError.
 */
export async function* extentPieces(
  { guest, range }: VolumeSource,
  extents: readonly Extent[],
  sizeBytes: number,
): AsyncGenerator<Buffer, void, void> {
  if (guest === undefined) return
  let given = 0
  for (const { offset, start, length } of extents) {
    const wanted = Math.min(length, sizeBytes - offset)
    if (wanted <= 0) break
    if (start + wanted > range.length)
      throw new GuestError('damaged', 'A piece of a file lies behind the end of the file system.')
    yield* zeros(offset - given)
    for (let done = 0; done < wanted; ) {
      const at = range.start + start + done
      // A piece ends where a cluster of the container does, so that what is read at once need not be joined.
      const bytes = await guest(at, Math.min(wanted - done, pieceBytes - (at % pieceBytes)))
      if (bytes === undefined || bytes.length === 0) return
      done += bytes.length
      yield bytes
    }
    given = offset + wanted
  }
  yield* zeros(sizeBytes - given)
}

/** The same as a whole; undefined where the reader cannot tell. Throws a GuestError. */
export async function readExtents(
  source: VolumeSource,
  extents: readonly Extent[],
  sizeBytes: number,
): Promise<Buffer | undefined> {
  // Made once: pieces that are joined at the end take twice as much.
  const content = Buffer.alloc(sizeBytes)
  let given = 0
  for await (const piece of extentPieces(source, extents, sizeBytes)) given += piece.copy(content, given)
  return given === sizeBytes ? content : undefined
}
