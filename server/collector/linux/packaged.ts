import { GuestError } from '../guest.ts'

/** What the paths and digests of all packaged files may take; those of 300,000 files take about 60 million. Unit: bytes. */
const mostBytes = 96 * 1_048_576
/** What a file takes beside its path and digest. */
const fileBytes = 64

/** A packaged file that is neither configuration nor ghost, with the digest of its content. */
export interface Packaged {
  readonly path: string
  readonly algorithm: 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512'
  readonly digest: string
}

/** The files of all packages, as many as memory is meant for. */
export class PackagedFiles {
  readonly #files: Packaged[] = []
  #bytes = 0

  get all(): readonly Packaged[] {
    return this.#files
  }

  /** Throws a GuestError: too-large. */
  add(one: Packaged): void {
    this.#bytes += one.path.length + one.digest.length + fileBytes
    if (this.#bytes > mostBytes) throw new GuestError('too-large', 'The package database names too many files.')
    this.#files.push(one)
  }
}
