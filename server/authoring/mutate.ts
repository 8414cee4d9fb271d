import type { Case } from '../documents/policy-test.ts'
import type { Finding } from '../documents/verdict.ts'
import { evaluate, resultOfRule } from '../evaluation/evaluate.ts'
import { outcomeOf } from '../evaluation/summarize.ts'
import { type CompiledRule, compilePolicy, compileRule, type Program } from '../policy/program.ts'
import { parametersOf, type Scope } from '../policy/scope.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import { differencesOf, findingText, type Judged } from './cases.ts'
import type { Mutant } from './mutants.ts'
import type { PreparedCase, Situation } from './situation.ts'

/** A situation judged once under the policy itself. */
interface Known {
  readonly scope: Scope
  readonly findings: readonly Finding[]
}

/** A rule of a mutant, compiled, in the place of the policy's own. */
export interface Changed {
  readonly index: number
  readonly compiled: CompiledRule
  readonly parameters: Scope['parameters']
}

/** Compiles what a mutant changes. */
export function changedRules(mutant: Mutant): Changed[] {
  const parameters = Object.fromEntries(Object.entries(mutant.parameters).map(([name, { value }]) => [name, value]))
  return [...mutant.rules].map(([index, rule]) => ({ index, compiled: compileRule(rule), parameters }))
}

/** One rule's finding in a situation. */
export function findingOf(
  { compiled, parameters }: Omit<Changed, 'index'>,
  { facts, request }: Situation,
  program: Program,
): Finding {
  const alone: Program = { policy: program.policy, parameters, rules: [compiled] }
  const [found] = evaluate(alone, facts, request)
  if (found === undefined) throw new RangeError('One rule gives one finding.')
  return found.finding
}

/** A policy's cases, judged once, to be asked about any number of mutants. */
export class Killing {
  readonly program: Program
  readonly #cases: readonly PreparedCase[]
  readonly #known = new Map<Situation, Known>()
  /** Cases that name the rule come first: they notice most mutants of it. */
  readonly #ordered = new Map<string, readonly PreparedCase[]>()

  /** For cases that hold. */
  constructor(policy: ReleasedPolicy, cases: readonly PreparedCase[]) {
    this.program = compilePolicy(policy.policy)
    this.#cases = cases
  }

  #judged(situation: Situation): Known {
    const known = this.#known.get(situation)
    if (known !== undefined) return known
    const { facts, request } = situation
    const findings = evaluate(this.program, facts, request).map(({ finding }) => finding)
    const judged = { scope: { facts, request, parameters: this.program.parameters }, findings }
    this.#known.set(situation, judged)
    return judged
  }

  #casesFor(rule: string): readonly PreparedCase[] {
    const known = this.#ordered.get(rule)
    if (known !== undefined) return known
    const names = ({ changes, messages = {} }: Case) => Object.hasOwn(changes, rule) || Object.hasOwn(messages, rule)
    const ordered = [...this.#cases].sort((a, b) => Number(names(b.one)) - Number(names(a.one)))
    this.#ordered.set(rule, ordered)
    return ordered
  }

  /** What the mutant makes of a situation; undefined when a case cannot tell it from what the policy makes of it. */
  #under(changed: readonly Changed[], situation: Situation, texts: Case['messages']): Judged | undefined {
    const { scope, findings } = this.#judged(situation)
    const differs = changed.some(({ index, compiled, parameters }) => {
      const before = findings[index]
      if (before === undefined) return false
      const result = resultOfRule(compiled, { ...scope, parameters })
      const effect = result === 'fail' || result === 'unknown' ? compiled.rule.effect[result] : 'none'
      return result !== before.result || effect !== before.effect || Object.hasOwn(texts ?? {}, before.rule)
    })
    return differs ? this.#overlay(changed, situation, findings) : undefined
  }

  #overlay(changed: readonly Changed[], situation: Situation, findings: readonly Finding[]): Judged {
    const now = [...findings]
    for (const one of changed) now[one.index] = findingOf(one, situation, this.program)
    return {
      outcome: outcomeOf(now),
      results: new Map(now.map(({ rule, result }) => [rule, result])),
      textOf: (rule) => {
        const finding = now.find((one) => one.rule === rule)
        return finding === undefined ? '' : findingText(finding)
      },
    }
  }

  /** Whether one case does not hold for the mutant; the case must hold for the policy. */
  kills(
    changed: readonly Changed[],
    { one, base, changed: situation }: Pick<PreparedCase, 'one' | 'base' | 'changed'>,
  ): boolean {
    const baseNow = this.#under(changed, base, undefined)
    const now = this.#under(changed, situation, one.messages)
    if (baseNow === undefined && now === undefined) return false
    const plain = (of: Situation) => this.#overlay([], of, this.#judged(of).findings)
    return differencesOf(one, baseNow ?? plain(base), now ?? plain(situation)).length > 0
  }

  /** The first case that does not hold for the mutant. */
  killer(changed: readonly Changed[], rule: string): PreparedCase | undefined {
    return this.#casesFor(rule).find((one) => this.kills(changed, one))
  }

  /** What the policy itself makes of a situation. */
  judged(situation: Situation): Judged {
    return this.#overlay([], situation, this.#judged(situation).findings)
  }

  /** One finding of the policy itself. */
  finding(situation: Situation, index: number): Finding | undefined {
    return this.#judged(situation).findings[index]
  }
}

/** The same rules as the policy has them, beside those of a mutant. */
export function originals(changed: readonly Changed[], program: Program): Changed[] {
  return changed.flatMap(({ index }) => {
    const compiled = program.rules[index]
    return compiled === undefined ? [] : [{ index, compiled, parameters: parametersOf(program.policy) }]
  })
}
