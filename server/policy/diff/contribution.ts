import type { Rule } from '../../documents/policy.ts'

/** What a rule can contribute to the outcome, weakest first. */
export const contributions = ['none', 'inform', 'warn', 'undetermined', 'not ready'] as const

/** One of them. */
export type Contribution = (typeof contributions)[number]

/** Place in the order of contributions, 0 is none. */
export type Rank = number

/** What a failed and what an unknown rule contributes; whatever else contributes nothing. */
export interface Ranks {
  readonly fail: Rank
  readonly unknown: Rank
}

const blocks = { fail: contributions.indexOf('not ready'), unknown: contributions.indexOf('undetermined') }

/** The ranks of a rule's effects; of no rule at all when it is undefined. */
export function ranksOf(effect: Rule['effect'] | undefined): Ranks {
  if (effect === undefined) return { fail: 0, unknown: 0 }
  const rank = (result: 'fail' | 'unknown') =>
    effect[result] === 'block' ? blocks[result] : contributions.indexOf(effect[result])
  return { fail: rank('fail'), unknown: rank('unknown') }
}

/** The contribution at a rank. */
export function contributionAt(rank: Rank): Contribution {
  return contributions[rank] ?? 'none'
}

const width = contributions.length

/** A set of pairs of contributions, old and new, as bits. */
export type Pairs = number

/** The set of one pair. */
export function pair(before: Rank, after: Rank): Pairs {
  return 2 ** (before * width + after)
}

function select(chosen: (before: Rank, after: Rank) => boolean): Pairs {
  const ranks = contributions.map((_, rank) => rank)
  return ranks.reduce(
    (all, before) => ranks.reduce((set, after) => (chosen(before, after) ? set | pair(before, after) : set), all),
    0,
  )
}

/** A direction of change. */
export type Direction = 'stricter' | 'looser'

/** Every pair in which the new contribution is greater, or less. */
export const towards: Readonly<Record<Direction, Pairs>> = {
  stricter: select((before, after) => after > before),
  looser: select((before, after) => after < before),
}

/** The greatest new contribution of a set of pairs. */
export function greatestAfter(pairs: Pairs): Rank {
  const found = contributions
    .map((_, rank) => rank)
    .filter((rank) => pairs & select((_before, after) => after === rank))
  return Math.max(0, ...found)
}
