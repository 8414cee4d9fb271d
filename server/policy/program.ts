import type { Policy, Rule } from '../documents/policy.ts'
import { type CompiledCondition, compileCondition } from './compile.ts'
import { parametersOf } from './scope.ts'
import { parseTemplate } from './template.ts'

type Template = ReturnType<typeof parseTemplate>

/** What to say of a failed rule, its templates parsed. */
export interface CompiledCase {
  readonly when: CompiledCondition | undefined
  readonly message: Template
  readonly stage: Rule['cases'][number]['remediation']['stage']
  readonly steps: readonly Template[]
  readonly command: { readonly template: Template; readonly shell: 'posix' | 'powershell' } | undefined
}

/** One rule, ready to run. */
export interface CompiledRule {
  readonly rule: Rule
  readonly appliesWhen: CompiledCondition | undefined
  readonly conditions: CompiledCondition
  readonly notApplicable: Template
  readonly cases: readonly CompiledCase[]
}

/** A policy, ready to run: pure, synchronous, shared by any number of evaluations. */
export interface Program {
  readonly policy: Policy
  readonly parameters: Readonly<Record<string, unknown>>
  readonly rules: readonly CompiledRule[]
}

/** Compiles one checked rule. */
export function compileRule(rule: Rule): CompiledRule {
  return {
    rule,
    appliesWhen: rule.appliesWhen === undefined ? undefined : compileCondition(rule.appliesWhen),
    conditions: compileCondition(rule.conditions),
    notApplicable: parseTemplate(rule.notApplicable ?? ''),
    cases: rule.cases.map(({ when, message, remediation: { stage, steps, command, shell } }) => ({
      when: when === undefined ? undefined : compileCondition(when),
      message: parseTemplate(message),
      stage,
      steps: steps.map(parseTemplate),
      command: command === undefined || shell === undefined ? undefined : { template: parseTemplate(command), shell },
    })),
  }
}

const programs = new WeakMap<Policy, Program>()

/** Compiles a checked policy, once per loaded policy. */
export function compilePolicy(policy: Policy): Program {
  const known = programs.get(policy)
  if (known !== undefined) return known
  const program = { policy, parameters: parametersOf(policy), rules: policy.rules.map(compileRule) }
  programs.set(policy, program)
  return program
}
