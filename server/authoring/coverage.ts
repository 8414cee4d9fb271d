import type { Rule } from '../documents/policy.ts'
import type { Finding } from '../documents/verdict.ts'
import { resultOfRule } from '../evaluation/evaluate.ts'
import type { Kleene } from '../policy/compile.ts'
import type { CompiledRule, Program } from '../policy/program.ts'
import type { Scope } from '../policy/scope.ts'
import { type Leaf, leavesOfRule, truthsOf } from './leaves.ts'
import type { Situation } from './situation.ts'

/** What a leaf can come out as. */
export const truths = ['true', 'false', 'unknown'] as const

/** One of the three. */
export type Truth = (typeof truths)[number]

type Result = Finding['result']

/** How one rule was exercised. */
export interface RuleCoverage {
  /** The rule's index in the policy. */
  readonly index: number
  readonly rule: Rule
  readonly results: ReadonlySet<Result>
  readonly leaves: readonly { readonly leaf: Leaf; readonly truths: ReadonlySet<Truth> }[]
}

/** A truth's name. */
export function truthOf(holds: Kleene): Truth {
  return holds === undefined ? 'unknown' : holds ? 'true' : 'false'
}

function ruleCoverage(compiled: CompiledRule, index: number, scopes: readonly Scope[]): RuleCoverage {
  const { rule } = compiled
  const results = new Set(scopes.map((scope) => resultOfRule(compiled, scope)))
  const leaves = leavesOfRule(rule).map((leaf) => {
    const ask = truthsOf(leaf)
    return { leaf, truths: new Set(scopes.flatMap((scope) => ask(scope).map(truthOf))) }
  })
  return { index, rule, results, leaves }
}

/** What the given situations make of a policy: the results of its rules, and the truths of their leaves. */
export function coverageOf(program: Program, situations: readonly Situation[]): RuleCoverage[] {
  const { parameters } = program
  const scopes = situations.map(({ facts, request }): Scope => ({ facts, request, parameters }))
  return program.rules.map((compiled, index) => ruleCoverage(compiled, index, scopes))
}
