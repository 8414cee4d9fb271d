import { canonicalize } from '../../digest.ts'
import type { Comparison, Condition, Count, Reference } from '../../documents/policy.ts'

/** A place that conditions read: in the document or the options, or inside the elements of a list. */
export interface Place {
  /** Pointer of the list; empty for the document and the options. */
  readonly list: string
  /** Pointer in the document (or below /request), or inside the element. */
  readonly path: string
}

/** A fact compared with a constant or with another fact. */
export interface Use {
  readonly at: Place
  readonly operator: string
  readonly value: Exclude<Comparison['value'], Reference> | undefined
  readonly other: Place | undefined
}

/** A leaf of a rule with its parameters put in: it is true, false or unknown of a document. */
export interface Atom {
  /** Equal for leaves of equal meaning. */
  readonly key: string
  readonly leaf: Comparison | Count
  readonly parameters: Readonly<Record<string, unknown>>
  readonly uses: readonly Use[]
}

type Parameters = Readonly<Record<string, unknown>>

function isReference(value: Comparison['value']): value is Reference {
  return typeof value === 'object' && !Array.isArray(value)
}

function isValue(value: unknown): value is Exclude<Comparison['value'], Reference> {
  return ['string', 'number', 'boolean'].includes(typeof value) || Array.isArray(value)
}

/** A name of a place for maps. */
export function placeKey({ list, path }: Place): string {
  return `${list} ${path}`
}

/** A condition with the values of parameters in the place of references to them: what it means, whatever their names. */
export function withParameters(condition: Condition, parameters: Parameters): Condition {
  if ('all' in condition) return { all: condition.all.map((child) => withParameters(child, parameters)) }
  if ('any' in condition) return { any: condition.any.map((child) => withParameters(child, parameters)) }
  if ('not' in condition) return { not: withParameters(condition.not, parameters) }
  if (condition.fact === 'count') {
    const { of, where } = condition.params
    return { ...condition, params: { of, where: withParameters(where, parameters) } }
  }
  const { value } = condition
  if (!isReference(value) || value.fact !== 'parameters') return condition
  const given = parameters[value.path.slice(1)]
  return isValue(given) ? { ...condition, value: given } : condition
}

function placeOf(fact: string, path: string, list: string): Place {
  return fact === 'element' ? { list, path } : { list: '', path: `/${fact}${path}` }
}

/** Every comparison in a condition; of a parameter none, for it is no fact. */
export function usesOf(condition: Condition, list = ''): Use[] {
  if ('all' in condition) return condition.all.flatMap((child) => usesOf(child, list))
  if ('any' in condition) return condition.any.flatMap((child) => usesOf(child, list))
  if ('not' in condition) return usesOf(condition.not, list)
  if (condition.fact === 'count') return usesOf(condition.params.where, condition.params.of)
  const { fact, operator, path, value } = condition
  if (fact === 'parameters') return []
  const at = placeOf(fact, path, list)
  if (!isReference(value)) return [{ at, operator, value, other: undefined }]
  return [{ at, operator, value: undefined, other: placeOf(value.fact, value.path, list) }]
}

function readsParameters(condition: Condition): boolean {
  if ('all' in condition) return condition.all.some(readsParameters)
  if ('any' in condition) return condition.any.some(readsParameters)
  if ('not' in condition) return readsParameters(condition.not)
  return condition.fact === 'count' ? readsParameters(condition.params.where) : condition.fact === 'parameters'
}

/** The atom of a leaf that already has its parameters put in. */
export function atomOf(leaf: Comparison | Count, parameters: Parameters): Atom {
  const own = readsParameters(leaf) ? parameters : {}
  return { key: canonicalize([leaf, own]), leaf, parameters: own, uses: usesOf(leaf) }
}
