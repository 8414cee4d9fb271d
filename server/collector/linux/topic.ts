import { GuestError } from '../guest.ts'
import type { Facts, Missing, Part } from '../part.ts'

const maxReason = 512

/** An entry of collection/missing, within the schema's limits. */
export function missing(pointer: string, code: string, reason: string): Missing {
  const known = /^[a-z][a-z0-9-]{0,63}$/.test(code)
  return { pointer, code: known ? code : 'unreadable', reason: reason.slice(0, maxReason).toWellFormed() }
}

/** The reason of a failure. What another error than GuestError says may quote the guest, so only its kind is told. */
export function missingFor(pointers: readonly string[], method: string, error: unknown): Missing[] {
  if (error instanceof GuestError) {
    return pointers.map((pointer) => missing(pointer, error.code, error.message || `${method} could not be read.`))
  }
  const kind = error instanceof Error ? error.name : 'unknown error'
  return pointers.map((pointer) => missing(pointer, 'parser-failed', `Reading ${method} failed (${kind}).`))
}

/** What one topic found. */
export interface Found {
  readonly facts: Facts
  readonly missing?: readonly Missing[]
}

/** Runs one topic by itself: when it fails its facts are missing and everything else goes on. */
export async function topic(
  pointers: readonly string[],
  method: string,
  collect: () => Promise<Found> | Found,
): Promise<Part> {
  try {
    return { method, ...(await collect()) }
  } catch (error) {
    return { method, facts: {}, missing: missingFor(pointers, method, error) }
  }
}
