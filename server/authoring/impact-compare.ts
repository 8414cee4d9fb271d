import type { RuleState } from '../documents/policy-impact.ts'
import type { Verdict } from '../documents/verdict.ts'
import type { RuleResult } from '../evaluation/evaluate.ts'
import { outcomeOf } from '../evaluation/summarize.ts'
import type { RuleMove } from './impact-item.ts'

type Outcome = Verdict['outcome']

/** Outcomes from the best to the worst. */
export const outcomes = ['ready', 'ready_with_warnings', 'undetermined', 'not_ready'] as const satisfies Outcome[]

function rank(outcome: Outcome): number {
  return outcomes.indexOf(outcome)
}

/** The outcome that a rule would give alone; a policy without it is ready. */
function contribution(state: RuleState | undefined): number {
  return rank(outcomeOf(state === undefined ? [] : [state]))
}

/** A worse outcome is decided by the rules that reach it now, a better one by those that stood above it before. */
function decides(from: RuleState | undefined, to: RuleState | undefined, before: Outcome, after: Outcome): boolean {
  if (rank(after) > rank(before)) return contribution(to) === rank(after)
  return rank(after) < rank(before) && contribution(from) > rank(after)
}

function stateOf(found: RuleResult | undefined): RuleState | undefined {
  return found && { result: found.result, effect: found.effect }
}

function same(left: RuleResult, right: RuleResult | undefined): boolean {
  return left.rule === right?.rule && left.result === right.result && left.effect === right.effect
}

/** Results of every rule and the outcome that they gave. */
export interface Judged {
  readonly outcome: Outcome
  readonly results: readonly RuleResult[]
}

/** Every rule that says something else, in the order of the candidate, those that it no longer has last. */
export function movesBetween(before: Judged, after: Judged): RuleMove[] {
  const old = before.results
  // Two versions mostly have the same rules in the same order.
  if (old.length === after.results.length && old.every((one, index) => same(one, after.results[index]))) return []
  const left = new Map(old.map((one) => [one.rule, one]))
  const right = new Map(after.results.map((one) => [one.rule, one]))
  return [...new Set([...right.keys(), ...left.keys()])].flatMap((rule) => {
    const from = stateOf(left.get(rule))
    const to = stateOf(right.get(rule))
    if (from?.result === to?.result && from?.effect === to?.effect) return []
    const decisive = decides(from, to, before.outcome, after.outcome)
    return [{ rule, ...(from && { from }), ...(to && { to }), decisive }]
  })
}
