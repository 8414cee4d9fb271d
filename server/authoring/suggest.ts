import type { Condition, Rule } from '../documents/policy.ts'
import type { Case } from '../documents/policy-test.ts'
import { resultOfRule } from '../evaluation/evaluate.ts'
import { type Part, variablesOf } from '../policy/variables.ts'
import type { Judgement, World } from '../policy/worlds.ts'
import { findingText } from './cases.ts'
import { isSound } from './concrete.ts'
import { treesOf } from './leaves.ts'
import type { Mutant } from './mutants.ts'
import { type Changed, findingOf, type Killing, originals } from './mutate.ts'
import { nearby } from './nearby.ts'
import { type Base, type Found, type Ground, seek } from './seek.ts'
import type { PreparedCase, Situation } from './situation.ts'
import { type Change, changeOf } from './suggestion.ts'

/** A case that the policy satisfies and a mutant does not. */
export interface SuggestedCase extends Change, Pick<Case, 'changes' | 'outcome' | 'messages'> {}

/**
 * How the search for such a case ended. With none, no document of the family tells mutant and policy apart as far as a case can see; undecided says that
 * there was too much to try.
 */
export type Suggestion =
  | { readonly status: 'found'; readonly found: Found; readonly suggested: SuggestedCase }
  | { readonly status: 'none' | 'undecided' }

/** So many worlds are compared by results, and so many by texts, which takes longer. */
const limits = { result: 20_000, text: 2_000 } as const

/** So many situations near the cases are tried, by what they are compared by. */
const maxNearby = { result: 60_000, text: 8_000 } as const

type Goal = keyof typeof limits

interface Pair {
  readonly before: Changed
  readonly after: Changed
}

/** The line of the policy's text that the mutant does not say, with which a case can tell them apart. */
function tellingLine(before: string, after: string): string | undefined {
  const said = new Set(after.split('\n'))
  const lines = before.split('\n').filter((line) => !said.has(line) && !after.includes(line))
  return lines.sort((a, b) => a.length - b.length)[0]?.slice(0, 600)
}

/** The case that a found situation makes: what the policy says of it, with a text where results alone tell nothing. */
function caseOf({ base, situation }: Found, pairs: readonly Pair[], killing: Killing): SuggestedCase | undefined {
  const { results, outcome } = killing.judged(situation)
  const before = killing.judged(base.situation).results
  const changes = Object.fromEntries([...results].filter(([rule, result]) => before.get(rule) !== result))
  const plain = { ...changeOf({ base, situation }), changes, outcome }
  const changed = pairs.map(({ after }) => after)
  const kills = (one: SuggestedCase) =>
    killing.kills(changed, { one: { name: 'suggested', ...one }, base: base.situation, changed: situation })
  if (kills(plain)) return plain
  for (const { before: own, after } of pairs) {
    const text = (one: Changed) => findingText(findingOf(one, situation, killing.program))
    const line = tellingLine(text(own), text(after))
    if (line !== undefined) return { ...plain, messages: { [own.compiled.rule.id]: line } }
  }
  return undefined
}

function conditionsOf({ compiled }: Changed, goal: Goal): Condition[] {
  const trees = treesOf(compiled.rule)
  return trees.filter(({ place }) => goal === 'text' || place[0] !== 'cases').map(({ condition }) => condition)
}

/** The conditions of both, what differs first: it is decided first then. */
function partsOf({ before, after }: Pair, goal: Goal): Part[] {
  const own = conditionsOf(before, goal)
  const theirs = conditionsOf(after, goal)
  const differing = theirs.filter((one) => !own.includes(one))
  const alike = own.filter((one) => theirs.includes(one))
  const gone = own.filter((one) => !theirs.includes(one))
  const part =
    ({ parameters }: Changed) =>
    (condition: Condition) => ({ condition, parameters })
  return [
    ...differing.map(part(after)),
    ...gone.map(part(before)),
    ...alike.map(part(before)),
    ...theirs.map(part(after)),
  ]
}

function effectOf({ effect }: Rule, result: string): string {
  return result === 'fail' || result === 'unknown' ? effect[result] : 'none'
}

function judgeOf({ before, after }: Pair, goal: Goal, killing: Killing): (world: World) => Judgement {
  let left: number = limits[goal]
  return (world) => {
    left -= 1
    // Told as found with nothing to show for it, which is what too much to try comes to.
    if (left < 0) return 'found'
    const was = resultOfRule(before.compiled, { ...world, parameters: before.parameters })
    const is = resultOfRule(after.compiled, { ...world, parameters: after.parameters })
    if (was !== is || effectOf(before.compiled.rule, was) !== effectOf(after.compiled.rule, is)) return 'found'
    if (was === 'pass') return 'hopeless'
    if (goal === 'result') return was === 'unknown' ? 'open' : 'hopeless'
    const situation: Situation = world
    const text = (one: Changed) => findingText(findingOf(one, situation, killing.program))
    if (text(before) !== text(after)) return 'found'
    return was === 'not_applicable' ? 'hopeless' : 'open'
  }
}

function differs({ before, after }: Pair, goal: Goal, situation: Situation, killing: Killing): boolean {
  const result = ({ compiled, parameters }: Changed) => resultOfRule(compiled, { ...situation, parameters })
  const was = result(before)
  const is = result(after)
  if (was !== is || effectOf(before.compiled.rule, was) !== effectOf(after.compiled.rule, is)) return true
  if (goal === 'result' || was === 'pass') return false
  const text = (one: Changed) => findingText(findingOf(one, situation, killing.program))
  return text(before) !== text(after)
}

/** Where a search begins, and the base that what it finds is a change of. */
interface Start {
  readonly base: Base
  readonly from: Situation
}

/** The bases, then the documents of the cases that name one of the rules: what those need is often one more change away. */
function startsOf(pairs: readonly Pair[], ground: Ground, cases: readonly PreparedCase[]): Start[] {
  const rules = pairs.map(({ before }) => before.compiled.rule.id)
  const named = cases.filter(({ one }) =>
    rules.some((rule) => Object.hasOwn(one.changes, rule) || Object.hasOwn(one.messages ?? {}, rule)),
  )
  return [
    ...ground.bases.map((base) => ({ base, from: base.situation })),
    ...named.map(({ base: situation, basePath: path, options, changed }) => ({
      base: { path, options, situation },
      from: changed,
    })),
  ]
}

/** A situation near a start, one change away or two. */
function fromNearby(
  pairs: readonly Pair[],
  goals: readonly Goal[],
  starts: readonly Start[],
  ground: Ground,
  killing: Killing,
): Found | undefined {
  for (const changes of [1, 2] as const) {
    for (const goal of goals) {
      let left = maxNearby[goal]
      for (const pair of pairs) {
        const variables = variablesOf(partsOf(pair, goal))
        if (variables === undefined) continue
        for (const { base, from } of starts) {
          for (const situation of nearby(from, variables, ground.samples, changes)) {
            left -= 1
            if (left < 0) break
            if (!differs(pair, goal, situation, killing) || !isSound(situation, ground.family)) continue
            if (caseOf({ base, situation }, pairs, killing) !== undefined) return { base, situation }
          }
        }
      }
    }
  }
  return undefined
}

/** A situation of a case that the mutant judges otherwise although no case says so. */
function fromCases(pairs: readonly Pair[], cases: readonly PreparedCase[], killing: Killing): Found | undefined {
  for (const { base: situation, basePath, options, changed } of cases) {
    const differs = pairs.some(({ before, after }) => {
      const was = findingOf(before, changed, killing.program)
      const is = findingOf(after, changed, killing.program)
      return was.result !== is.result || was.effect !== is.effect || findingText(was) !== findingText(is)
    })
    const found = { base: { path: basePath, options, situation }, situation: changed }
    if (differs && caseOf(found, pairs, killing) !== undefined) return found
  }
  return undefined
}

/**
 * Looks for a case that a surviving mutant does not satisfy: first among the documents that the cases have already, then among all that its conditions can tell apart,
 * by results before texts.
 */
export function suggest(
  mutant: Mutant,
  changed: readonly Changed[],
  killing: Killing,
  ground: Ground,
  cases: readonly PreparedCase[],
): Suggestion {
  const own = originals(changed, killing.program)
  const pairs = changed.flatMap((after, index) => {
    const before = own[index]
    return before === undefined ? [] : [{ before, after }]
  })
  const answer = (found: Found): Suggestion | undefined => {
    const suggested = caseOf(found, pairs, killing)
    return suggested === undefined ? undefined : { status: 'found', found, suggested }
  }
  const goals: readonly Goal[] = mutant.name.startsWith('cases/') ? ['text'] : ['result', 'text']
  const near = fromCases(pairs, cases, killing)
  const known = near === undefined ? undefined : answer(near)
  if (known !== undefined) return known
  const beside = fromNearby(pairs, goals, startsOf(pairs, ground, cases), ground, killing)
  const changedLittle = beside === undefined ? undefined : answer(beside)
  if (changedLittle !== undefined) return changedLittle
  let status: 'none' | 'undecided' = 'none'
  for (const goal of goals) {
    for (const pair of pairs) {
      const accept = (found: Found) => caseOf(found, pairs, killing) !== undefined
      const sought = seek(partsOf(pair, goal), ground, judgeOf(pair, goal, killing), accept)
      const found = sought.status === 'found' ? answer(sought.found) : undefined
      if (found !== undefined) return found
      if (sought.status !== 'none') status = 'undecided'
    }
  }
  return { status }
}
