import type { Condition } from '../../documents/policy.ts'
import { compileCondition } from '../compile.ts'
import { parametersOf } from '../scope.ts'
import { type SearchResult, searchWorlds } from '../worlds.ts'
import { impossibleConstants, leafType } from './constant-leaves.ts'
import type { Subject } from './subject.ts'
import { childrenOf, isLeaf, type Node, treesOf } from './trees.ts'

type Parameters = Readonly<Record<string, unknown>>

/** Whether some document makes the condition true, or false. */
function canBe(wanted: boolean, condition: Condition, parameters: Parameters): SearchResult {
  const compiled = compileCondition(condition)
  return searchWorlds(
    [{ condition, parameters }],
    (world) => {
      const truth = compiled.test({ ...world, parameters }, undefined)
      return truth === undefined ? 'open' : truth === wanted ? 'found' : 'hopeless'
    },
    false,
  )
}

/** A condition on elements as one on documents: it can hold when some list has an element for which it holds. */
function asked({ condition, list }: Node): Condition {
  if (list === undefined) return condition
  return { fact: 'count', params: { of: list, where: condition }, operator: 'greaterThanInclusive', value: 1 }
}

/** A condition that cannot vary: contradiction for an all whose children can each be true, presence for a list of all values there are. */
export interface Constant {
  readonly node: Node
  readonly kind: 'true' | 'false' | 'contradiction' | 'presence'
}

function negated(node: Node): Node {
  return { ...node, condition: { not: node.condition } }
}

function isPresenceTest({ condition, list }: Node): boolean {
  if (!isLeaf(condition) || condition.fact === 'count' || condition.operator !== 'in') return false
  const type = leafType(condition, list)
  return type?.kind === 'string' && type.values !== undefined
}

function constantOf(node: Node, parameters: Parameters): Constant | undefined {
  // A value that cannot be is told where it stands.
  if (impossibleConstants(node, parameters).length > 0) return undefined
  if (canBe(true, asked(node), parameters) === 'none') {
    return { node, kind: 'all' in node.condition && node.condition.all.length > 1 ? 'contradiction' : 'false' }
  }
  // Inside where nothing is false of every element, so the opposite is what must be possible.
  const canFail =
    node.list === undefined ? canBe(false, node.condition, parameters) : canBe(true, asked(negated(node)), parameters)
  if (canFail === 'none') return { node, kind: isPresenceTest(node) ? 'presence' : 'true' }
  return undefined
}

/**
 * The smallest conditions that cannot vary; what they make of those around them is not told again. A test for presence may make
 * what is around it true or unknown as well, which is meant then; that something around it is never true is not.
 */
function smallest(node: Node, parameters: Parameters): Constant[] {
  const inner = childrenOf(node).flatMap((child) => smallest(child, parameters))
  if (inner.some(({ kind }) => kind !== 'presence')) return inner
  const own = constantOf(node, parameters)
  if (own === undefined || (inner.length > 0 && own.kind === 'true')) return inner
  return [...inner, own]
}

const known = new WeakMap<Subject, readonly Constant[]>()

/** Every condition of a policy that cannot vary, decided by the values that tell its constants apart. */
export function constantsIn(subject: Subject): readonly Constant[] {
  const before = known.get(subject)
  if (before !== undefined) return before
  const parameters = parametersOf(subject.policy)
  const trees = [...subject.sound].flatMap(([index, rule]) => treesOf(rule, index))
  const found = trees.flatMap((tree) => smallest(tree, parameters))
  known.set(subject, found)
  return found
}
