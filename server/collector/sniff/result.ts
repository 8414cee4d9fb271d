import type { Image } from '../../documents/facts.ts'

/** What is known of the container, without the image's name. */
export type ImageFacts = Omit<Image, 'name'>

/** Why no other program may open the image. */
export interface Refusal {
  /** One of the codes of GuestError. */
  readonly code: 'refused' | 'unsupported' | 'encrypted' | 'damaged'
  readonly reason: string
}

/** How another program is told to read the disk; it never probes for itself. */
export interface Layout {
  /** QEMU's name of the driver; raw also for a fixed VHD. */
  readonly driver: 'raw' | 'qcow2' | 'vpc'
  /** What that driver can read, from the start of the file for raw. Unit: bytes. */
  readonly sizeBytes: number
}

/** Bytes of the disk as a guest sees them; undefined where our own reader cannot tell. */
export type GuestRead = (offset: number, length: number) => Promise<Buffer | undefined>

/** What the sniffer found out from the file's bytes alone. */
export interface Sniffed {
  readonly image: ImageFacts
  readonly refusal?: Refusal
  readonly layout?: Layout
  readonly guest?: GuestRead
}

/** Container members of a format that can have none of these. */
export const selfContained = { backingFile: false, externalDataFile: false, encrypted: false } as const

/** A refusal of what the format itself does not promise. */
export const damaged = (reason: string): Refusal => ({ code: 'damaged', reason })
