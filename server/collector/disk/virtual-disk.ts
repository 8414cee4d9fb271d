import type { Place } from '../tools/place.ts'

/** The disk as a guest sees it, as plain files that cannot be written. */
export interface VirtualDisk {
  /** How it is shown, in one sentence for people. */
  readonly method: string
  /** Unit: bytes. */
  readonly sizeBytes: number
  whole(): Promise<Place>
  /**
   * A range of the disk. With offsets the answer may be the whole disk and where the range begins, for programs that can be
   * told so. Throws a GuestError when the range cannot be shown.
   */
  part(start: number, length: number, offsets?: 'offsets'): Promise<Place>
  close(): Promise<void>
}
