import type { Comparison, Condition, Count, Rule } from '../../documents/policy.ts'
import { conditionTrees } from '../reference.ts'
import type { Place } from '../yaml-text.ts'
import type { Subject } from './subject.ts'

/** A condition with its place; the list whose elements it speaks of, inside where. */
export interface Node {
  readonly condition: Condition
  readonly place: Place
  readonly list: string | undefined
}

/** The conditions directly below one. */
export function childrenOf({ condition, place, list }: Node): Node[] {
  if ('all' in condition)
    return condition.all.map((child, index) => ({ condition: child, place: [...place, 'all', index], list }))
  if ('any' in condition)
    return condition.any.map((child, index) => ({ condition: child, place: [...place, 'any', index], list }))
  if ('not' in condition) return [{ condition: condition.not, place: [...place, 'not'], list }]
  if (condition.fact !== 'count') return []
  const { of, where } = condition.params
  return [{ condition: where, place: [...place, 'params', 'where'], list: of }]
}

/** A condition and all below it, from the top. */
export function nodesOf(node: Node): Node[] {
  return [node, ...childrenOf(node).flatMap(nodesOf)]
}

/** A condition that compares a fact, or counts. */
export function isLeaf(condition: Condition): condition is Comparison | Count {
  return 'fact' in condition
}

/** The trees of a rule, each with its place. */
export function treesOf(rule: Rule, index: number): Node[] {
  return conditionTrees(rule).map(([place, condition]) => {
    const tokens = place.split('/').map((token) => (/^\d+$/.test(token) ? Number(token) : token))
    return { condition, place: ['rules', index, ...tokens], list: undefined }
  })
}

/** All conditions of the rules that the profile accepts. */
export function allNodes({ sound }: Subject): Node[] {
  return [...sound].flatMap(([index, rule]) => treesOf(rule, index).flatMap(nodesOf))
}
