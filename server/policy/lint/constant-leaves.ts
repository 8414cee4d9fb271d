import type { Comparison } from '../../documents/policy.ts'
import { elementType, type FactType, pointerType } from '../fact-types.ts'
import { allows } from '../representatives.ts'
import type { Place } from '../yaml-text.ts'
import type { Node } from './trees.ts'

/** The operators that ask for a certain value, which a fact that cannot have it never equals. */
const equalities = ['equal', 'notEqual', 'in', 'notIn', 'contains', 'doesNotContain']

/** The type of the fact that a comparison reads; undefined for a parameter. */
export function leafType({ fact, path }: Comparison, list: string | undefined): FactType | undefined {
  if (fact !== 'element') return fact === 'parameters' ? undefined : pointerType(`/${fact}${path}`)
  const type = list === undefined ? undefined : pointerType(list)
  return type === undefined ? undefined : elementType(type, path)
}

/** The constants of a comparison with their places; those of a parameter stand where the parameter does. */
export function constantsOf(
  { value }: Comparison,
  place: Place,
  parameters: Readonly<Record<string, unknown>>,
): { value: unknown; place: Place }[] {
  const reference = typeof value === 'object' && !Array.isArray(value) ? value : undefined
  if (reference !== undefined && reference.fact !== 'parameters') return []
  const name = reference?.path.slice(1)
  const at: Place = name === undefined ? [...place, 'value'] : ['parameters', name, 'value']
  const constant: unknown = name === undefined ? value : parameters[name]
  return Array.isArray(constant)
    ? constant.map((one: unknown, index) => ({ value: one, place: [...at, index] }))
    : [{ value: constant, place: at }]
}

/** The constants that a fact can never have by its schema's bounds or pattern, though they are of its type. */
export function impossibleConstants(
  { condition, place, list }: Node,
  parameters: Readonly<Record<string, unknown>>,
): { value: unknown; place: Place; type: FactType }[] {
  if (!('fact' in condition) || condition.fact === 'count' || !equalities.includes(condition.operator)) return []
  const whole = leafType(condition, list)
  const type = whole?.kind === 'list' ? whole.of : whole
  if (type === undefined) return []
  return constantsOf(condition, place, parameters)
    .filter(({ value }) => !allows(type, value))
    .map((constant) => ({ ...constant, type }))
}
