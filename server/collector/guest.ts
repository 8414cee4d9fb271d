/** What a path of the guest is; links are not followed. */
export interface GuestStat {
  readonly kind: 'file' | 'directory' | 'link' | 'other'
  /** Unit: bytes. */
  readonly sizeBytes: number
  /** Permission bits; undefined where the file system or the tool does not tell. */
  readonly mode?: number
  /** chattr +i, schg or uchg; undefined where the tool does not tell. */
  readonly immutable?: boolean
  /** chattr +a, sappnd or uappnd; undefined where the tool does not tell. */
  readonly appendOnly?: boolean
  /** NTFS: the read-only attribute of $STANDARD_INFORMATION. */
  readonly readOnly?: boolean
  /** Where a link points, as written. */
  readonly target?: string
}

/** One name in a directory of the guest. */
export interface GuestEntry {
  readonly name: string
  readonly kind: GuestStat['kind']
}

/** A file's content, piece by piece. Whoever takes a piece may hand its memory on, so its giver does not look at it again. */
export type Pieces = AsyncIterable<Buffer> | Iterable<Buffer>

/**
 * Files of a guest, read without mounting and without writing. Paths are absolute, with slashes, inside the guest.
 * Calls made in one turn of the event loop are answered together, so ask for many at once (Promise.all).
 * Everything rejects with a GuestError when the file system could not be read: that is unknown, never absence.
 */
export interface GuestFiles {
  /** Content of a file, links followed inside the guest; undefined when there is no such file. */
  read(path: string, maxBytes?: number): Promise<Buffer | undefined>
  /** The same in pieces as they come, for what is large and read once; absent where a driver has nothing but the whole. */
  pieces?(path: string, maxBytes: number): Promise<Pieces | undefined>
  /**
   * Has the content written to a new file of ours by the program that reads it, and not through our memory; false when there is no such file. Absent
   * where a driver has nothing but the content.
   */
  save?(path: string, target: string, maxBytes: number): Promise<boolean>
  /** Entries of a directory, links followed; undefined when there is no such directory. */
  list(path: string): Promise<readonly GuestEntry[] | undefined>
  /** The path itself, a last link not followed; undefined when nothing is there. */
  stat(path: string): Promise<GuestStat | undefined>
}

/** Default and largest size of a file that read gives, in bytes. */
export const defaultReadBytes = 1_048_576
export const largestReadBytes = 134_217_728

/** Content of a file in pieces: one, where its driver has nothing but the whole. */
export async function filePieces(files: GuestFiles, path: string, maxBytes: number): Promise<Pieces | undefined> {
  if (files.pieces) return files.pieces(path, maxBytes)
  const whole = await files.read(path, maxBytes)
  return whole && [whole]
}

/** Why something could not be read. The code stands in the document's collection/missing. */
export class GuestError extends Error {
  /** A stable reason: tool-missing, tool-failed, timed-out, too-large, unreadable, unsupported, encrypted, damaged, refused. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'GuestError'
    this.code = code
  }
}
