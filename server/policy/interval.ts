import type { Compare } from '../evaluation/operators.ts'

/** Bounds of a count: certainly selected elements, and those plus the undecided ones. */
export interface Interval {
  readonly atLeast: number
  readonly atMost: number
}

/**
 * Compares a count that may lie anywhere in the interval with a number; undefined when its values disagree.
 * An order comparison is monotone, so its ends decide. Equality is decided only by a single value, or by a number outside.
 */
export function countHolds(name: string, compare: Compare, interval: Interval, value: number): boolean | undefined {
  const low = compare(interval.atLeast, value)
  if (interval.atLeast === interval.atMost) return low
  const inside = interval.atLeast <= value && value <= interval.atMost
  if ((name === 'equal' || name === 'notEqual') && inside) return undefined
  const high = compare(interval.atMost, value)
  return low === high ? low : undefined
}
