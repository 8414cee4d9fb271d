import type { Condition } from '../documents/policy.ts'
import type { Finding } from '../documents/verdict.ts'
import { resultOfRule } from '../evaluation/evaluate.ts'
import { compileCondition } from '../policy/compile.ts'
import type { CompiledRule } from '../policy/program.ts'
import { readPointer, type Scope } from '../policy/scope.ts'
import type { Part } from '../policy/variables.ts'
import type { Judgement } from '../policy/worlds.ts'
import { type Truth, truthOf } from './coverage.ts'
import type { Leaf } from './leaves.ts'
import { type Ground, type Sought, seek } from './seek.ts'

type Parameters = Scope['parameters']

/** A leaf as a condition of the document: inside where a count of the elements that make it come out so, or leave it open. */
function alone({ condition, of }: Leaf, wanted: Truth): Condition {
  if (of === undefined) return condition
  const where = wanted === 'false' ? { not: condition } : condition
  return { fact: 'count', params: { of, where }, operator: 'greaterThanInclusive', value: 1 }
}

function partsOf(conditions: readonly (Condition | undefined)[], parameters: Parameters): Part[] {
  return conditions.flatMap((condition) => (condition === undefined ? [] : [{ condition, parameters }]))
}

/** Whether it is still open that this leaf comes out so. */
function leafJudge(leaf: Leaf, wanted: Truth): (scope: Scope) => Judgement {
  const compiled = compileCondition(leaf.condition)
  if (leaf.of === undefined) {
    return (scope) => {
      const truth = truthOf(compiled.test(scope, undefined))
      if (truth === wanted) return 'found'
      return truth === 'unknown' ? 'open' : 'hopeless'
    }
  }
  const read = readPointer(leaf.of)
  return (scope) => {
    const elements = read(scope, undefined)
    if (!Array.isArray(elements)) return 'open'
    return elements.some((element: unknown) => truthOf(compiled.test(scope, element)) === wanted) ? 'found' : 'open'
  }
}

/** Looks for a situation in which the leaf comes out so. */
export function seekTruth(leaf: Leaf, parameters: Parameters, wanted: Truth, ground: Ground): Sought {
  const comesOut = leafJudge(leaf, wanted)
  return seek([{ condition: alone(leaf, wanted), parameters }], ground, (world) => comesOut({ ...world, parameters }))
}

/** Looks for a situation in which the rule has this result. */
export function seekResult(
  compiled: CompiledRule,
  parameters: Parameters,
  wanted: Finding['result'],
  ground: Ground,
): Sought {
  const { appliesWhen, conditions } = compiled.rule
  return seek(partsOf([appliesWhen, conditions], parameters), ground, (world) => {
    const result = resultOfRule(compiled, { ...world, parameters })
    if (result === wanted) return 'found'
    return result === 'unknown' ? 'open' : 'hopeless'
  })
}
