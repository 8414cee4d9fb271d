import type { Finding, Verdict } from '../documents/verdict.ts'
import type { ParsedFacts } from '../facts/parse.ts'
import { compilePolicy } from '../policy/program.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import { evaluateResults, type RuleResult } from './evaluate.ts'
import { outcomeOf } from './summarize.ts'

/** What one policy made of a rule; absent where it does not have the rule. */
export type ShadowSide = Pick<Finding, 'effect' | 'result'> | 'absent'

/** A rule of which two policies make something else. */
export interface ShadowDifference {
  readonly rule: string
  readonly from: ShadowSide
  readonly to: ShadowSide
}

/** What a candidate would have said beside a verdict. */
export interface Shadow {
  readonly candidate: ReleasedPolicy
  readonly outcome: Verdict['outcome']
  /** In the candidate's order, then what it no longer has. */
  readonly differences: readonly ShadowDifference[]
}

function sideOf(found: RuleResult | undefined): ShadowSide {
  return found === undefined ? 'absent' : { effect: found.effect, result: found.result }
}

/**
 * Evaluates a candidate beside a verdict: on the same facts and options, where the policy in force now judged a document
 * of its family; undefined elsewhere, because a pinned or an earlier version is not what a candidate would replace.
 */
export function shadowOf(candidate: ReleasedPolicy, facts: ParsedFacts, verdict: Verdict): Shadow | undefined {
  const { family, selectedBy } = verdict.policy
  if (family !== candidate.family || selectedBy !== 'now') return undefined
  const results = evaluateResults(compilePolicy(candidate.policy), facts.document, verdict.options)
  const before = new Map(verdict.findings.map((finding) => [finding.rule, finding]))
  const after = new Set(results.map(({ rule }) => rule))
  const gone = verdict.findings.filter(({ rule }) => !after.has(rule))
  const differs = (to: RuleResult) => {
    const from = before.get(to.rule)
    return from?.result !== to.result || from.effect !== to.effect
  }
  const differences = [
    ...results.filter(differs).map((to) => ({ rule: to.rule, from: sideOf(before.get(to.rule)), to: sideOf(to) })),
    ...gone.map((from): ShadowDifference => ({ rule: from.rule, from: sideOf(from), to: 'absent' })),
  ]
  return { candidate, outcome: outcomeOf(results), differences }
}
