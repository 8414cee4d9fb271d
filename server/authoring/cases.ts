import type { Case } from '../documents/policy-test.ts'
import type { Finding, Verdict } from '../documents/verdict.ts'
import { evaluate } from '../evaluation/evaluate.ts'
import { outcomeOf } from '../evaluation/summarize.ts'
import type { Program } from '../policy/program.ts'
import type { BrokenCase, PreparedCase, Situation } from './situation.ts'

type Result = Finding['result']

/** What a policy says of a situation, as far as a case can ask for it. */
export interface Judged {
  readonly outcome: Verdict['outcome']
  /** Rules in policy order with their results. */
  readonly results: ReadonlyMap<string, Result>
  /** Everything that a rule tells people: message, steps and command, one a line. */
  textOf(rule: string): string
}

/** One way in which a policy departs from a case. */
export type Difference =
  | { readonly kind: 'result'; readonly rule: string; readonly expected: Result; readonly got: Result }
  /** The case names a rule as changed that has this result in the base already. */
  | { readonly kind: 'unchanged'; readonly rule: string; readonly got: Result }
  | { readonly kind: 'outcome'; readonly expected: Verdict['outcome']; readonly got: Verdict['outcome'] }
  /** The rule's whole text does not contain what is expected. */
  | { readonly kind: 'message'; readonly rule: string; readonly expected: string; readonly got: string }
  /** The case could not be run. */
  | { readonly kind: 'broken'; readonly reason: string }

/** A case that was run; it holds when there are no differences. */
export interface RanCase {
  readonly case: PreparedCase | BrokenCase
  readonly differences: readonly Difference[]
}

/** All that a finding tells people, one text a line. */
export function findingText({ message, remediation }: Finding): string {
  return [message, ...(remediation?.steps ?? []), remediation?.command]
    .filter((text) => text !== undefined && text !== '')
    .join('\n')
}

/** Judges one situation under a policy. */
export function judged(program: Program, { facts, request }: Situation): Judged {
  const findings = evaluate(program, facts, request).map(({ finding }) => finding)
  const byRule = new Map(findings.map((finding) => [finding.rule, finding]))
  return {
    outcome: outcomeOf(findings),
    results: new Map(findings.map(({ rule, result }) => [rule, result])),
    textOf: (rule) => {
      const finding = byRule.get(rule)
      return finding === undefined ? '' : findingText(finding)
    },
  }
}

/** Where a policy departs from a case: rules that are not named keep the base's result, those that are named have another. */
export function differencesOf(one: Case, base: Judged, changed: Judged): Difference[] {
  const differences: Difference[] = []
  for (const [rule, got] of changed.results) {
    const before = base.results.get(rule) ?? got
    const named = Object.hasOwn(one.changes, rule) ? one.changes[rule] : undefined
    const expected = named ?? before
    if (got !== expected) differences.push({ kind: 'result', rule, expected, got })
    else if (named === before) differences.push({ kind: 'unchanged', rule, got })
  }
  if (changed.outcome !== one.outcome) {
    differences.push({ kind: 'outcome', expected: one.outcome, got: changed.outcome })
  }
  for (const [rule, expected] of Object.entries(one.messages ?? {})) {
    const got = changed.textOf(rule)
    if (!got.includes(expected)) differences.push({ kind: 'message', rule, expected, got })
  }
  return differences
}

/** Runs the cases of one policy; a base that several cases share is judged once. */
export function runCases(program: Program, cases: readonly (PreparedCase | BrokenCase)[]): RanCase[] {
  const bases = new Map<Situation, Judged>()
  return cases.map((one): RanCase => {
    if ('reason' in one) return { case: one, differences: [{ kind: 'broken', reason: one.reason }] }
    const base = bases.get(one.base) ?? judged(program, one.base)
    bases.set(one.base, base)
    return { case: one, differences: differencesOf(one.one, base, judged(program, one.changed)) }
  })
}
