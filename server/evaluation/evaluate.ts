import type { FactDocument } from '../documents/facts.ts'
import type { Evidence, Finding, Options, Remediation } from '../documents/verdict.ts'
import type { Kleene, Trace } from '../policy/compile.ts'
import type { CompiledCase, CompiledRule, Program } from '../policy/program.ts'
import type { Scope } from '../policy/scope.ts'
import { renderTemplate, type Selection } from '../policy/template.ts'

/** A finding with what only the summary needs: the facts that keep it unknown. */
export interface Evaluated {
  readonly finding: Finding
  /** Pointers of the missing facts, without repetition, in the order of the conditions. Empty unless unknown. */
  readonly missing: readonly string[]
}

type Result = Finding['result']

function resultOf(applies: Kleene, complies: Kleene): Result {
  if (applies === false) return 'not_applicable'
  if (applies === undefined || complies === undefined) return 'unknown'
  return complies ? 'pass' : 'fail'
}

function applicability(compiled: CompiledRule, scope: Scope): Kleene {
  return compiled.appliesWhen === undefined ? true : compiled.appliesWhen.test(scope, undefined)
}

/** The result of one rule alone: the hot path, and the subject of the differential test. */
export function resultOfRule(compiled: CompiledRule, scope: Scope): Result {
  const applies = applicability(compiled, scope)
  return resultOf(applies, applies === false ? undefined : compiled.conditions.test(scope, undefined))
}

function explain(compiled: CompiledRule, result: Result, scope: Scope): Trace {
  const trace: Trace = { evidence: [], missing: [] }
  const applies = applicability(compiled, scope)
  if (applies !== true) compiled.appliesWhen?.explain(scope, undefined, '', trace)
  if (result === 'not_applicable') return trace
  const complies = compiled.conditions.test(scope, undefined)
  // A rule that may not apply is unknown whatever it says; only what it lacks itself is of use then.
  if (applies === true || complies === undefined) compiled.conditions.explain(scope, undefined, '', trace)
  return trace
}

function selectionOf(evidence: readonly Evidence[]): Selection {
  const unique = (pick: (leaf: Evidence) => readonly string[] | undefined) => [
    ...new Set(evidence.flatMap((leaf) => pick(leaf) ?? [])),
  ]
  return { selected: unique((leaf) => leaf.selected), undecided: unique((leaf) => leaf.undecided) }
}

/** A case that counts speaks of what it counted; any other case of what decided the rule. */
function selectionOfCase(one: CompiledCase, scope: Scope, deciding: Selection): Selection {
  const trace: Trace = { evidence: [], missing: [] }
  one.when?.explain(scope, undefined, '', trace)
  const own = selectionOf(trace.evidence)
  return own.selected.length > 0 ? own : deciding
}

function remediationOf(one: CompiledCase, scope: Scope, selection: Selection): Remediation {
  const { command, stage } = one
  const steps = one.steps.map((step) => renderTemplate(step, scope, selection, 'text'))
  if (command === undefined) return { stage, steps }
  return {
    command: renderTemplate(command.template, scope, selection, command.shell),
    shell: command.shell,
    stage,
    steps,
  }
}

function undecidedMessage(missing: readonly string[]): string {
  const shown = missing.slice(0, 8).join(', ')
  const more = missing.length > 8 ? ` and ${missing.length - 8} more` : ''
  return `It cannot be decided: ${missing.length === 1 ? 'this fact is' : 'these facts are'} missing: ${shown}${more}.`
}

function failedCase(compiled: CompiledRule, scope: Scope): CompiledCase | undefined {
  return compiled.cases.find((one) => one.when === undefined || one.when.test(scope, undefined) === true)
}

/** Members stand in canonical order throughout, so that the verdict's JSON is its canonical form. */
function evaluateRule(compiled: CompiledRule, scope: Scope, full: boolean): Evaluated {
  const { rule } = compiled
  const result = resultOfRule(compiled, scope)
  const head = { requirements: rule.requirements, result, rule: rule.id, severity: rule.effect.fail, title: rule.title }
  if (result === 'pass') {
    if (!full) return { finding: { effect: 'none', ...head }, missing: [] }
    return { finding: { effect: 'none', evidence: explain(compiled, result, scope).evidence, ...head }, missing: [] }
  }
  const trace = explain(compiled, result, scope)
  const { evidence } = trace
  const selection = selectionOf(evidence)
  if (result === 'not_applicable') {
    const message = renderTemplate(compiled.notApplicable, scope, selection, 'text')
    return { finding: { effect: 'none', evidence, message, ...head }, missing: [] }
  }
  if (result === 'unknown') {
    const missing = [...new Set(trace.missing)]
    const message = undecidedMessage(missing)
    return { finding: { collect: rule.collect, effect: rule.effect.unknown, evidence, message, ...head }, missing }
  }
  const one = failedCase(compiled, scope)
  if (one === undefined)
    return { finding: { effect: rule.effect.fail, evidence, message: rule.title, ...head }, missing: [] }
  const chosen = selectionOfCase(one, scope, selection)
  const message = renderTemplate(one.message, scope, chosen, 'text')
  const remediation = remediationOf(one, scope, chosen)
  return { finding: { effect: rule.effect.fail, evidence, message, remediation, ...head }, missing: [] }
}

/** A rule's result and what it does to the outcome, without message and evidence. */
export type RuleResult = Pick<Finding, 'effect' | 'result' | 'rule'>

function effectOf({ effect }: CompiledRule['rule'], result: Result): Finding['effect'] {
  return result === 'fail' || result === 'unknown' ? effect[result] : 'none'
}

/** The results alone of every rule, in policy order. Members stand in canonical order. */
export function evaluateResults(program: Program, facts: FactDocument, request: Options): RuleResult[] {
  const scope: Scope = { facts, request, parameters: program.parameters }
  return program.rules.map((compiled) => {
    const result = resultOfRule(compiled, scope)
    return { effect: effectOf(compiled.rule, result), result, rule: compiled.rule.id }
  })
}

/**
 * Runs every rule of a policy on one fact document: pure, in policy order, one finding a rule.
 * `full` adds the evidence of passed rules, which is no part of a verdict.
 */
export function evaluate(program: Program, facts: FactDocument, request: Options, full = false): Evaluated[] {
  const scope: Scope = { facts, request, parameters: program.parameters }
  return program.rules.map((compiled) => evaluateRule(compiled, scope, full))
}
