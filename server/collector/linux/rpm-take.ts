import { GuestError } from '../guest.ts'

/** Told of each piece of a database that a reader takes, in bytes, before it is copied. Throws a GuestError. */
export type Take = (bytes: number) => void

/** In a sound database no byte belongs to two packages, so all that is taken is no more than there is. */
export function takeAtMost(bytes: number): Take {
  let left = bytes
  return (taken) => {
    left -= taken
    if (left < 0) throw new GuestError('damaged', 'The packages in the rpm database lie over one another.')
  }
}
