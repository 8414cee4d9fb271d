import type { Comparison, Condition, Count, Rule } from '../documents/policy.ts'
import { compileCondition, type Kleene } from '../policy/compile.ts'
import { readPointer, type Scope } from '../policy/scope.ts'
import type { Place } from '../policy/yaml-text.ts'

/** A comparison or a count somewhere in a rule. */
export interface Leaf {
  /** Its place in the rule. */
  readonly place: Place
  readonly condition: Comparison | Count
  /** The list of whose elements it speaks, inside where. */
  readonly of?: string
}

/** A part of a rule that is asked as a whole. */
export interface Tree {
  readonly place: Place
  readonly condition: Condition
}

/** Every leaf of a condition, in order; a count comes before what it counts. */
export function leavesOf(condition: Condition, place: Place, of?: string): Leaf[] {
  if ('all' in condition) {
    return condition.all.flatMap((child, index) => leavesOf(child, [...place, 'all', index], of))
  }
  if ('any' in condition) {
    return condition.any.flatMap((child, index) => leavesOf(child, [...place, 'any', index], of))
  }
  if ('not' in condition) return leavesOf(condition.not, [...place, 'not'], of)
  const leaf = { place, condition, ...(of === undefined ? {} : { of }) }
  if (condition.fact !== 'count') return [leaf]
  const { params } = condition
  return [leaf, ...leavesOf(params.where, [...place, 'params', 'where'], params.of)]
}

/** The condition trees of a rule: applicability, compliance, and each case that asks. */
export function treesOf(rule: Rule): Tree[] {
  const applies = rule.appliesWhen === undefined ? [] : [{ place: ['appliesWhen'], condition: rule.appliesWhen }]
  const cases = rule.cases.flatMap(({ when }, index) =>
    when === undefined ? [] : [{ place: ['cases', index, 'when'], condition: when }],
  )
  return [...applies, { place: ['conditions'], condition: rule.conditions }, ...cases]
}

/** The truths of a leaf in a scope: one, or inside where one for each element. */
export function truthsOf({ condition, of }: Leaf): (scope: Scope) => readonly Kleene[] {
  const compiled = compileCondition(condition)
  if (of === undefined) return (scope) => [compiled.test(scope, undefined)]
  const read = readPointer(of)
  return (scope) => {
    const elements = read(scope, undefined)
    return Array.isArray(elements) ? elements.map((element: unknown) => compiled.test(scope, element)) : []
  }
}

/** Every leaf of a rule. */
export function leavesOfRule(rule: Rule): Leaf[] {
  return treesOf(rule).flatMap(({ place, condition }) => leavesOf(condition, place))
}
