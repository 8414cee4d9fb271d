/** What keeps a comparison of two rules from being decided: it is told, and never guessed at. */
export class Undecidable extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'Undecidable'
  }
}

/** How much is enumerated for one rule before the answer is undecided. */
export interface Limits {
  /** Combinations of values of facts that are compared with one another, or counted together. */
  readonly combinations: number
  /** States of the counts over one list. */
  readonly counts: number
  /** Different remainders of both rules, as facts are decided one after the other. */
  readonly cases: number
}

/** The limits that `policy diff` states in its help. */
export const defaultLimits: Limits = { combinations: 50_000, counts: 20_000, cases: 50_000 }
