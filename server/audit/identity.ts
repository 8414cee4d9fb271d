import { v7 } from 'uuid'

/** What makes a verdict findable: its id and its time, which are one. */
export interface VerdictIdentity {
  /** UUID version 7, monotonic within a process. */
  readonly id: string
  /** The time in the id. RFC 3339, UTC, milliseconds. */
  readonly recordedAt: string
}

/** A new identity from the clock; when the clock steps back, ids and times stay at the latest one until it has caught up. */
export function newIdentity(): VerdictIdentity {
  const id = v7()
  return { id, recordedAt: new Date(timeOfId(id)).toISOString() }
}

/** The time in a UUID version 7, in milliseconds since 1970. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

/** A lower bound of all ids of a time in milliseconds since 1970 and later; it is itself nobody's id. */
export function idFloor(milliseconds: number): string {
  const hex = Math.min(Math.max(milliseconds, 0), 0xffff_ffff_ffff).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}
