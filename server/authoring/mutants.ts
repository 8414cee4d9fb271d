import type { Effect, Policy, Rule } from '../documents/policy.ts'
import { valueType } from '../policy/fact-types.ts'
import type { Place } from '../policy/yaml-text.ts'
import { leavesOf, treesOf } from './leaves.ts'
import { conditionVariants, spokenIn } from './mutants-condition.ts'
import { valueVariants } from './mutants-value.ts'

/** A policy with one thing changed. */
export interface Mutant {
  /** Id of the rule; parameters for one of those. */
  readonly rule: string
  /** Place of what is changed, in the policy. */
  readonly place: Place
  /** Place in the rule and what was changed; unique within the rule. */
  readonly name: string
  /** The rules that are concerned, by index, as they are in the mutant. */
  readonly rules: ReadonlyMap<number, Rule>
  readonly parameters: Policy['parameters']
}

const effects: readonly Effect[] = ['block', 'warn', 'inform']

interface RuleVariant {
  readonly at: Place
  readonly change: string
  readonly rule: Rule
}

function treeVariants(rule: Rule): RuleVariant[] {
  const trees = treesOf(rule)
  const spoken = spokenIn(trees.map(({ condition }) => condition))
  return trees.flatMap(({ place, condition: tree }) =>
    conditionVariants(tree, { spoken }).map(({ at, change, condition }): RuleVariant => {
      const [part, index] = place
      const cases = rule.cases.map((one, position) => (position === index ? { ...one, when: condition } : one))
      const mutated = part === 'cases' ? { ...rule, cases } : { ...rule, [String(part)]: condition }
      return { at: [...place, ...at], change, rule: mutated }
    }),
  )
}

function applicabilityVariants({ appliesWhen, notApplicable: _, ...rule }: Rule): RuleVariant[] {
  return appliesWhen === undefined ? [] : [{ at: ['appliesWhen'], change: 'dropped', rule }]
}

function effectVariants(rule: Rule): RuleVariant[] {
  return (['fail', 'unknown'] as const).flatMap((result) =>
    effects
      .filter((effect) => effect !== rule.effect[result])
      .map((effect) => {
        const change = `${rule.effect[result]} -> ${effect}`
        return { at: ['effect', result], change, rule: { ...rule, effect: { ...rule.effect, [result]: effect } } }
      }),
  )
}

function caseVariants(rule: Rule): RuleVariant[] {
  return rule.cases.flatMap((one, index) =>
    one.when === undefined
      ? []
      : [{ at: ['cases', index], change: 'dropped', rule: { ...rule, cases: rule.cases.toSpliced(index, 1) } }],
  )
}

function nameOf(at: Place, change: string): string {
  return `${at.join('/')}: ${change}`
}

function ruleMutants(rule: Rule, index: number, parameters: Policy['parameters']): Mutant[] {
  const variants = [
    ...applicabilityVariants(rule),
    ...effectVariants(rule),
    ...treeVariants(rule),
    ...caseVariants(rule),
  ]
  return variants.map(({ at, change, rule: mutated }) => ({
    rule: rule.id,
    place: ['rules', index, ...at],
    name: nameOf(at, change),
    rules: new Map([[index, mutated]]),
    parameters,
  }))
}

function readsParameter(rule: Rule, name: string): boolean {
  const path = `/${name}`
  const leaves = treesOf(rule).flatMap(({ condition }) => leavesOf(condition, []))
  const reads = (one: { fact: string; path?: string }) => one.fact === 'parameters' && one.path === path
  const compares = leaves.some(({ condition }) => {
    const value: unknown = condition.value
    const isReference = typeof value === 'object' && value !== null && 'fact' in value && 'path' in value
    return reads(condition) || (isReference && value.fact === 'parameters' && value.path === path)
  })
  return compares || JSON.stringify(rule.cases).includes(`{/parameters${path}`)
}

function parameterMutants({ parameters, rules }: Policy): Mutant[] {
  return Object.entries(parameters).flatMap(([name, parameter]) => {
    const concerned = new Map([...rules.entries()].filter(([, rule]) => readsParameter(rule, name)))
    const { value } = parameter
    const type = Array.isArray(value) ? valueType(value[0]) : valueType(value)
    return valueVariants(value, type, []).flatMap(({ change, value: other }): Mutant[] => {
      if (typeof other === 'boolean' || concerned.size === 0) return []
      return [
        {
          rule: 'parameters',
          place: ['parameters', name, 'value'],
          name: nameOf([name], change),
          rules: concerned,
          parameters: { ...parameters, [name]: { ...parameter, value: other } },
        },
      ]
    })
  })
}

/** Every mutant of a policy, in the order of its file. */
export function mutantsOf(policy: Policy): Mutant[] {
  const ofRules = policy.rules.flatMap((rule, index) => ruleMutants(rule, index, policy.parameters))
  return [...parameterMutants(policy), ...ofRules]
}
