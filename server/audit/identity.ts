import { randomInt } from 'node:crypto'
import { v7 } from 'uuid'
import type { StoreLog } from './store.ts'

/** What makes a verdict findable. */
export interface VerdictIdentity {
  /** UUID version 7, monotonic within a process. */
  readonly id: string
  /** The time in the id. RFC 3339, UTC, milliseconds. */
  readonly recordedAt: string
}

/**
 * How far a verdict's recordedAt may lie from the time in its id, in milliseconds. A list by time reads the ids of that
 * much more and lets recordedAt decide, so it is exact at any skew within.
 */
export const maxSkew = 10_000

const lastYear = Date.parse('9999-12-31T23:59:59.999Z')
const sequences = 2 ** 31

let last = { milliseconds: 0, sequence: 0 }

/**
 * A new identity at a time, by default now. When the clock steps back, times stay at the latest one until it has caught
 * up, so that the order of ids is the order of recording.
 */
export function newIdentity(now = new Date()): VerdictIdentity {
  last = next(now.getTime())
  return {
    id: v7({ msecs: last.milliseconds, seq: last.sequence }),
    recordedAt: recordedText(last.milliseconds),
  }
}

/** A newest verdict that is this much ahead of the clock, in milliseconds, was recorded by a wrong one. */
export const farAhead = 3_600_000

/**
 * Lets identities go on after one that was recorded before this process began, if any, should the clock have gone back
 * since. Tells so, gives false, and leaves them to the clock, when that one is more than an hour ahead: a wrong time would
 * go on for long.
 */
export function resumeAfter(newest: string | undefined, log: StoreLog | undefined): boolean {
  if (newest === undefined) return true
  const milliseconds = timeOfId(newest)
  if (milliseconds > Date.now() + farAhead) {
    log?.warn({ newest }, 'The newest verdict is more than an hour ahead of the clock; new ones sort before it')
    return false
  }
  if (milliseconds >= last.milliseconds) last = { milliseconds: milliseconds + 1, sequence: 0 }
  return true
}

/** The time in a UUID version 7, in milliseconds since 1970. */
export function timeOfId(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

/** From where the positions in SQLite's index of text count their milliseconds: 2020-01-01T00:00:00Z. */
export const textEpoch = 1_577_836_800_000

/** Where that index keeps what it has of an id: the milliseconds, and the id's next 12 bits. A rowid has 10 bits more. */
export function textPlace(id: string): readonly [milliseconds: number, next: number] {
  return [timeOfId(id) - textEpoch, Number(`0x${id.slice(15, 18)}`)]
}

/** A lower bound of all ids of a time in milliseconds since 1970 and later; it is itself nobody's id. */
export function idFloor(milliseconds: number): string {
  const hex = Math.max(milliseconds, 0).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}

/** A time in milliseconds since 1970 as recordedAt is written; texts of this form sort as their times do. */
export function recordedText(milliseconds: number): string {
  return new Date(Math.min(milliseconds, lastYear)).toISOString()
}

function next(now: number): typeof last {
  if (now > last.milliseconds) return { milliseconds: now, sequence: randomInt(sequences) }
  const sequence = last.sequence + 1
  return sequence < 2 * sequences ? { ...last, sequence } : { milliseconds: last.milliseconds + 1, sequence: 0 }
}
