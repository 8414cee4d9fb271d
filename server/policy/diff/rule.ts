import type { Policy, Rule } from '../../documents/policy.ts'
import { type Direction, type Pairs, ranksOf, towards } from './contribution.ts'
import { type Case, cheapestWay, Search, type Version } from './explore.ts'
import { decided, Forest } from './forest.ts'
import { type Choice, choicesOf, type Edit, type Group, groupsOf } from './groups.ts'
import { type Limits, Undecidable } from './limits.ts'
import type { Base } from './slots.ts'

/** One version of a rule with the values of its policy's parameters. */
export interface RuleVersion {
  readonly rule: Rule
  readonly parameters: Readonly<Record<string, unknown>>
}

/** A document that shows a direction of change: what to change in a base, and in how many members. */
export interface Way {
  readonly base: Base
  readonly cost: number
  readonly edits: readonly Edit[]
}

/** What the change of a rule means. */
export type Meaning =
  | {
      readonly decided: true
      /** Every pair of contributions, before and after, that some document gives; pairs of equals may be left out. */
      readonly pairs: Pairs
      /** Documents that show a direction, the one with the fewest changes first. */
      ways(direction: Direction): Way[]
    }
  | { readonly decided: false; readonly reason: string }

function versionOf(forest: Forest, given: RuleVersion | undefined): Version {
  if (given === undefined) return { ranks: ranksOf(undefined), applies: decided.true, complies: decided.true }
  const { rule, parameters } = given
  return {
    ranks: ranksOf(rule.effect),
    applies: rule.appliesWhen === undefined ? decided.true : forest.add(rule.appliesWhen, parameters),
    complies: forest.add(rule.conditions, parameters),
  }
}

/** What one side alone reads comes first: once it is decided, what both share often stays undecided without mattering. */
function inOrder(groups: readonly Group[], forest: Forest, before: Version, after: Version): Group[] {
  const support = (version: Version) =>
    new Set([version.applies, version.complies].flatMap((tree) => forest.support(tree)))
  const old = support(before)
  const young = support(after)
  const rank = ({ atoms }: Group) => (atoms.some((atom) => old.has(atom) !== young.has(atom)) ? 0 : 1)
  return groups.toSorted((a, b) => rank(a) - rank(b))
}

function way(
  groups: readonly Group[],
  keys: readonly (readonly string[])[],
  root: Case,
  wanted: Pairs,
  base: Base,
  limits: Limits,
): Way[] {
  const choices: Map<string, Choice>[] = groups.map((group) => choicesOf(group, base, limits))
  const costs = keys.map((all, group) => all.map((key) => choices[group]?.get(key)?.cost ?? Number.POSITIVE_INFINITY))
  const found = cheapestWay(root, wanted, costs)
  if (found === undefined) return []
  const edits = found.choices.flatMap(
    ([group, choice]) => choices[group]?.get(keys[group]?.[choice] ?? '')?.edits() ?? [],
  )
  return [{ base, cost: found.cost, edits }]
}

/**
 * Compares the contributions of two versions of a rule over every document that the family can see; a version that does not exist
 * contributes nothing. Exact, or undecided with the reason.
 */
export function compareRules(
  before: RuleVersion | undefined,
  after: RuleVersion | undefined,
  family: Policy['family'],
  bases: readonly Base[],
  limits: Limits,
): Meaning {
  try {
    const forest = new Forest()
    const old = versionOf(forest, before)
    const young = versionOf(forest, after)
    const groups = inOrder(groupsOf(forest.atoms, family, bases), forest, old, young)
    const choices = groups.map((group) => choicesOf(group, undefined, limits))
    const groupOf = forest.atoms.map((_, atom) => groups.findIndex(({ atoms }) => atoms.includes(atom)))
    const search = new Search(
      forest,
      groupOf,
      choices.map((all) => [...all.values()]),
      limits,
    )
    const root = search.run(old, young)
    const keys = choices.map((all) => [...all.keys()])
    const ways = (direction: Direction) => {
      const found: Way[] = []
      for (const base of bases) {
        if (found.some(({ cost }) => cost === 0)) break
        found.push(...way(groups, keys, root, towards[direction], base, limits))
      }
      return found.sort((a, b) => a.cost - b.cost)
    }
    return { decided: true, pairs: root.pairs, ways }
  } catch (error) {
    if (error instanceof Undecidable) return { decided: false, reason: error.message }
    throw error
  }
}
