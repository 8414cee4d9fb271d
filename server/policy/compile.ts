import type { Comparison, Condition, Count, Reference } from '../documents/policy.ts'
import type { Evidence } from '../documents/verdict.ts'
import { operator } from '../evaluation/operators.ts'
import { pointerTo } from '../facts/pointer.ts'
import { countHolds, type Interval } from './interval.ts'
import { capped, comparedValue } from './observed.ts'
import { renderCondition } from './render.ts'
import { readFact, type Scope } from './scope.ts'

/** Three-valued truth: undefined is unknown. */
export type Kleene = boolean | undefined

/** What explaining a condition gathers: the leaves that decided it, and the pointers of the facts that left it unknown. */
export interface Trace {
  readonly evidence: Evidence[]
  readonly missing: string[]
}

/** A condition as closures. `at` is the element's own pointer, empty outside a count. */
export interface CompiledCondition {
  /** The truth alone; the hot path. */
  test(scope: Scope, element: unknown): Kleene
  /** Adds to the trace the leaves that share, and so decided, this condition's truth. */
  explain(scope: Scope, element: unknown, at: string, trace: Trace): void
}

function word(holds: Kleene): Evidence['holds'] {
  return holds === undefined ? 'unknown' : holds ? 'true' : 'false'
}

function pointerOf(fact: string, path: string, at: string): string {
  return fact === 'element' ? `${at}${path}` : `/${fact}${path}`
}

function isReference(value: Comparison['value']): value is Reference {
  return typeof value === 'object' && !Array.isArray(value)
}

/** Only facts can be collected; options and parameters are always stated. */
function collectable(pointer: string): boolean {
  return !pointer.startsWith('/request/') && !pointer.startsWith('/parameters/')
}

function compileComparison(leaf: Comparison): CompiledCondition {
  const { value } = leaf
  const compare = operator(leaf.operator)
  const observe = readFact(leaf.fact, leaf.path)
  const reference = isReference(value) ? value : undefined
  const expect = reference === undefined ? () => value : readFact(reference.fact, reference.path)
  const test: CompiledCondition['test'] = (scope, element) => {
    const observed = observe(scope, element)
    if (observed === undefined) return undefined
    const expected = expect(scope, element)
    return expected === undefined ? undefined : compare(observed, expected)
  }
  return {
    test,
    explain(scope, element, at, trace) {
      const pointer = pointerOf(leaf.fact, leaf.path, at)
      const from = reference === undefined ? undefined : pointerOf(reference.fact, reference.path, at)
      const observed = comparedValue(observe(scope, element))
      const expected = comparedValue(expect(scope, element))
      const shown = observed === undefined ? undefined : capped(observed)
      trace.evidence.push({
        ...(shown === undefined ? { absent: true } : {}),
        ...(expected === undefined ? {} : { expected }),
        ...(from === undefined ? {} : { expectedFrom: from }),
        holds: word(test(scope, element)),
        ...(shown === undefined ? {} : { observed: shown.value }),
        operator: leaf.operator,
        pointer,
        ...(shown?.truncated ? { truncated: true } : {}),
      })
      if (observed === undefined && collectable(pointer)) trace.missing.push(pointer)
      if (from !== undefined && expected === undefined && collectable(from)) trace.missing.push(from)
    },
  }
}

function compileCount(leaf: Count): CompiledCondition {
  const list = readFact(leaf.params.of.split('/')[1] ?? '', leaf.params.of.replace(/^\/[^/]+/, ''))
  const where = compileCondition(leaf.params.where)
  const rendered = renderCondition(leaf.params.where)
  const compare = operator(leaf.operator)
  const name = `count ${leaf.operator}`
  const interval = (elements: readonly unknown[], scope: Scope): Interval => {
    let atLeast = 0
    let atMost = 0
    for (const element of elements) {
      const holds = where.test(scope, element)
      if (holds === true) atLeast += 1
      if (holds !== false) atMost += 1
    }
    return { atLeast, atMost }
  }
  const test: CompiledCondition['test'] = (scope) => {
    const elements = list(scope, undefined)
    if (!Array.isArray(elements)) return undefined
    return countHolds(leaf.operator, compare, interval(elements, scope), leaf.value)
  }
  return {
    test,
    explain(scope, _element, _at, trace) {
      const pointer = leaf.params.of
      const elements: unknown = list(scope, undefined)
      if (!Array.isArray(elements)) {
        trace.evidence.push({
          absent: true,
          expected: leaf.value,
          holds: 'unknown',
          operator: name,
          pointer,
          where: rendered,
        })
        trace.missing.push(pointer)
        return
      }
      const results = elements.map((element: unknown) => where.test(scope, element))
      const at = (wanted: Kleene) =>
        results.flatMap((result, index) => (result === wanted ? [pointerTo(pointer, index)] : []))
      const selected = at(true)
      const undecided = at(undefined)
      const holds = test(scope, undefined)
      const bounds = { atLeast: selected.length, atMost: selected.length + undecided.length }
      trace.evidence.push({
        expected: leaf.value,
        holds: word(holds),
        observed: undecided.length === 0 ? selected.length : bounds,
        operator: name,
        pointer,
        selected,
        undecided,
        where: rendered,
      })
      if (holds !== undefined) return
      for (const [index, element] of elements.entries()) {
        if (results[index] !== undefined) continue
        where.explain(scope, element, pointerTo(pointer, index), { evidence: [], missing: trace.missing })
      }
    },
  }
}

/** Explains the children that share the node's truth: they alone decided it, the others are masked. */
function explainChildren(children: readonly CompiledCondition[], test: CompiledCondition['test']) {
  const explain: CompiledCondition['explain'] = (scope, element, at, trace) => {
    const holds = test(scope, element)
    for (const child of children) {
      if (child.test(scope, element) === holds) child.explain(scope, element, at, trace)
    }
  }
  return { test, explain }
}

/** A node that one child with the truth `decisive` decides: false for all, true for any. */
function compileMany(conditions: readonly Condition[], decisive: boolean): CompiledCondition {
  const children = conditions.map(compileCondition)
  return explainChildren(children, (scope, element) => {
    let holds: Kleene = !decisive
    for (const child of children) {
      const one = child.test(scope, element)
      if (one === decisive) return decisive
      if (one === undefined) holds = undefined
    }
    return holds
  })
}

function compileNot(condition: Condition): CompiledCondition {
  const child = compileCondition(condition)
  return {
    test(scope, element) {
      const holds = child.test(scope, element)
      return holds === undefined ? undefined : !holds
    },
    explain: child.explain,
  }
}

/** Compiles a condition tree to closures in Kleene logic. The tree must have passed the schema and the profile. */
export function compileCondition(condition: Condition): CompiledCondition {
  if ('all' in condition) return compileMany(condition.all, false)
  if ('any' in condition) return compileMany(condition.any, true)
  if ('not' in condition) return compileNot(condition.not)
  return condition.fact === 'count' ? compileCount(condition) : compileComparison(condition)
}
