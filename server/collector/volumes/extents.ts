import { GuestError } from '../guest.ts'
import type { VolumeSource } from './volume.ts'

/** A piece of a file and where it lies in the file system. Unit: bytes. */
export interface Extent {
  readonly offset: number
  readonly start: number
  readonly length: number
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
