import { GuestError } from '../guest.ts'

/** So many names the listings of one image may have together; those that are read of an installed system have some thousands. */
const mostNames = 250_000

/** Counts the names in all listings of one image, since they are remembered. */
export class Names {
  #left = mostNames

  /** Throws a GuestError: too-large. */
  count(names: number): void {
    this.#left -= names
    if (this.#left < 0)
      throw new GuestError('too-large', `The directories that were to be read hold more than ${mostNames} names.`)
  }
}
