import type { Comparison, Condition, Count, Reference } from '../documents/policy.ts'
import { elementType, type FactType, majorType, pointerType } from '../policy/fact-types.ts'
import type { Place } from '../policy/yaml-text.ts'
import { leavesOf } from './leaves.ts'
import { otherOperators, otherOrders, valueVariants } from './mutants-value.ts'

/** A condition with one thing changed. */
export interface ConditionVariant {
  /** Place of what is changed, from the condition. */
  readonly at: Place
  readonly change: string
  readonly condition: Condition
}

/** What the rest of the rule tells of a fact. */
export interface Surroundings {
  /** Constants that the same fact is compared with anywhere in the rule. */
  spoken(fact: string, path: string): readonly unknown[]
  /** The list of whose elements is spoken, inside where. */
  readonly of?: string
}

function isReference(value: Comparison['value']): value is Reference {
  return typeof value === 'object' && !Array.isArray(value)
}

function typeOf({ fact, path }: Comparison, of: string | undefined): FactType | undefined {
  if (fact !== 'element') return pointerType(`/${fact}${path}`)
  const list = of === undefined ? undefined : pointerType(of)
  return list === undefined ? undefined : elementType(list, path)
}

/** The constants that a rule's conditions compare each fact with. */
export function spokenIn(conditions: readonly Condition[]): Surroundings['spoken'] {
  const leaves = conditions.flatMap((condition) => leavesOf(condition, [])).map(({ condition }) => condition)
  return (fact, path) =>
    leaves.flatMap((leaf) => {
      if (leaf.fact === 'count' || leaf.fact !== fact || leaf.path !== path || isReference(leaf.value)) return []
      return [leaf.value].flat()
    })
}

function comparisonVariants(leaf: Comparison, { spoken, of }: Surroundings): ConditionVariant[] {
  const operators = otherOperators[leaf.operator].map((operator): ConditionVariant => {
    return { at: ['operator'], change: `${leaf.operator} -> ${operator}`, condition: { ...leaf, operator } }
  })
  if (isReference(leaf.value)) return operators
  const major = leaf.operator.startsWith('major:')
  const type = major ? majorType : typeOf(leaf, of)
  const values = valueVariants(leaf.value, type, spoken(leaf.fact, leaf.path)).map(
    ({ change, value }): ConditionVariant => {
      return { at: ['value'], change, condition: { ...leaf, value } }
    },
  )
  return [...operators, ...values]
}

function countVariants(leaf: Count, surroundings: Surroundings): ConditionVariant[] {
  const { operator, params, value } = leaf
  const operators = otherOrders[operator].map((other): ConditionVariant => {
    return { at: ['operator'], change: `${operator} -> ${other}`, condition: { ...leaf, operator: other } }
  })
  const values = [value - 1, value + 1]
    .filter((other) => other >= 0)
    .map((other): ConditionVariant => {
      return { at: ['value'], change: `${value} -> ${other}`, condition: { ...leaf, value: other } }
    })
  const inner = conditionVariants(params.where, { ...surroundings, of: params.of }).map(({ at, change, condition }) => {
    return { at: ['params', 'where', ...at], change, condition: { ...leaf, params: { ...params, where: condition } } }
  })
  return [...operators, ...values, ...inner]
}

function many(kind: 'all' | 'any', children: Condition[]): Condition {
  return kind === 'all' ? { all: children } : { any: children }
}

function manyVariants(
  kind: 'all' | 'any',
  children: readonly Condition[],
  surroundings: Surroundings,
): ConditionVariant[] {
  const other = kind === 'all' ? 'any' : 'all'
  const swapped = { at: [], change: `${kind} -> ${other}`, condition: many(other, [...children]) }
  const dropped = children.map((_, index): ConditionVariant => {
    return { at: [kind, index], change: 'dropped', condition: many(kind, children.toSpliced(index, 1)) }
  })
  const inner = children.flatMap((child, index) =>
    conditionVariants(child, surroundings).map(({ at, change, condition }): ConditionVariant => {
      return { at: [kind, index, ...at], change, condition: many(kind, children.with(index, condition)) }
    }),
  )
  return [...(children.length < 2 ? [] : [swapped, ...dropped]), ...inner]
}

/** Every way in which one thing of a condition is changed: operators, constants, children left out, all and any swapped, not left out. */
export function conditionVariants(condition: Condition, surroundings: Surroundings): ConditionVariant[] {
  if ('all' in condition) return manyVariants('all', condition.all, surroundings)
  if ('any' in condition) return manyVariants('any', condition.any, surroundings)
  if ('not' in condition) {
    const inner = conditionVariants(condition.not, surroundings).map(
      ({ at, change, condition: not }): ConditionVariant => {
        return { at: ['not', ...at], change, condition: { not } }
      },
    )
    return [{ at: [], change: 'not dropped', condition: condition.not }, ...inner]
  }
  return condition.fact === 'count'
    ? countVariants(condition, surroundings)
    : comparisonVariants(condition, surroundings)
}
