import { type Pairs, pair, type Ranks } from './contribution.ts'
import { decided, type Forest, type Tree } from './forest.ts'
import type { Choice } from './groups.ts'
import { type Limits, Undecidable } from './limits.ts'

/** What is left to decide of a rule. */
export interface RuleTrees {
  readonly applies: Tree
  readonly complies: Tree
}

/** Two versions of a rule, partly decided, and all pairs of contributions that can come of it. */
export interface Case {
  readonly pairs: Pairs
  /** The group that is decided next and what comes of each of its choices; undefined when nothing is left that matters. */
  readonly next: { readonly group: number; readonly cases: readonly Case[] } | undefined
}

/** A version of a rule as the search needs it. */
export interface Version extends RuleTrees {
  readonly ranks: Ranks
}

/** A rule that cannot apply contributes nothing; one that may not apply is unknown whatever it says. */
function settled({ applies, complies }: RuleTrees): RuleTrees {
  if (applies === decided.false) return { applies: decided.true, complies: decided.true }
  if (applies === decided.unknown) return { applies: decided.true, complies: decided.unknown }
  return { applies, complies }
}

function isDecided(tree: Tree): boolean {
  return tree === decided.false || tree === decided.true || tree === decided.unknown
}

function rankOf({ complies }: RuleTrees, ranks: Ranks): number {
  if (complies === decided.true) return 0
  return complies === decided.false ? ranks.fail : ranks.unknown
}

/** Decides two versions of a rule together, group by group; equal remainders are decided once. */
export class Search {
  readonly #forest: Forest
  readonly #groupOf: readonly number[]
  readonly #choices: readonly (readonly Choice[])[]
  readonly #limits: Limits
  readonly #known = new Map<string, Case>()

  /** `groupOf` names the group of each atom, `choices` the choices of each group. */
  constructor(forest: Forest, groupOf: readonly number[], choices: readonly (readonly Choice[])[], limits: Limits) {
    this.#forest = forest
    this.#groupOf = groupOf
    this.#choices = choices
    this.#limits = limits
  }

  /** Throws Undecidable beyond the limit. */
  run(before: Version, after: Version): Case {
    const old = settled(before)
    const young = settled(after)
    const key = `${old.applies} ${old.complies} ${young.applies} ${young.complies}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (this.#known.size >= this.#limits.cases) {
      throw new Undecidable(`more than ${this.#limits.cases} different cases`)
    }
    const found = this.#case({ ...before, ...old }, { ...after, ...young })
    this.#known.set(key, found)
    return found
  }

  #case(before: Version, after: Version): Case {
    const trees = [before.applies, before.complies, after.applies, after.complies]
    if (trees.every(isDecided))
      return { pairs: pair(rankOf(before, before.ranks), rankOf(after, after.ranks)), next: undefined }
    const alike = before.applies === after.applies && before.complies === after.complies
    const { fail, unknown } = before.ranks
    if (alike && fail === after.ranks.fail && unknown === after.ranks.unknown) return { pairs: 0, next: undefined }
    const groups = trees.flatMap((tree) => this.#forest.support(tree)).map((atom) => this.#groupOf[atom] ?? 0)
    const group = Math.min(...groups)
    const cases = (this.#choices[group] ?? []).map(({ truths }) => {
      const done = new Map<Tree, Tree>()
      const left = (version: Version): Version => ({
        ranks: version.ranks,
        applies: this.#forest.decide(version.applies, truths, done),
        complies: this.#forest.decide(version.complies, truths, done),
      })
      return this.run(left(before), left(after))
    })
    return { pairs: cases.reduce((all, one) => all | one.pairs, 0), next: { group, cases } }
  }
}

/** The way through a case that ends in one of the wanted pairs at the least cost: for each group on it the index of a choice. */
export function cheapestWay(
  root: Case,
  wanted: Pairs,
  costs: readonly (readonly number[])[],
): { cost: number; choices: readonly (readonly [group: number, choice: number])[] } | undefined {
  const known = new Map<Case, { cost: number; choice: number }>()
  const visit = (one: Case): number => {
    const done = known.get(one)
    if (done !== undefined) return done.cost
    let best = { cost: one.next === undefined && (one.pairs & wanted) !== 0 ? 0 : Number.POSITIVE_INFINITY, choice: -1 }
    for (const [choice, child] of (one.next?.cases ?? []).entries()) {
      if ((child.pairs & wanted) === 0) continue
      const cost = visit(child) + (costs[one.next?.group ?? 0]?.[choice] ?? Number.POSITIVE_INFINITY)
      if (cost < best.cost) best = { cost, choice }
    }
    known.set(one, best)
    return best.cost
  }
  const cost = visit(root)
  if (cost === Number.POSITIVE_INFINITY) return undefined
  const choices: (readonly [number, number])[] = []
  for (let one: Case | undefined = root; one?.next !== undefined; ) {
    const choice: number = known.get(one)?.choice ?? -1
    choices.push([one.next.group, choice])
    one = one.next.cases[choice]
  }
  return { cost, choices }
}
