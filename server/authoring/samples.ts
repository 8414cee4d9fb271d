import { isObject, pointerTo, pointerTokens, resolveTokens } from '../facts/pointer.ts'
import { elementType, type FactType, pointerType } from '../policy/fact-types.ts'
import type { PreparedCase } from './situation.ts'

/** An element for a list, from which invented ones take what conditions do not read. */
export type Samples = (list: string) => unknown

function exampleOf(type: FactType | undefined): unknown {
  if (type?.kind === 'integer') return Math.max(type.minimum, Math.min(type.maximum, 1))
  if (type?.kind === 'boolean') return false
  if (type?.kind === 'list') return []
  if (type?.kind === 'string') return type.values?.[0] ?? type.text.examples[0] ?? ''
  return {}
}

/** An element with the members that must be stated, as the schema's examples have them. */
function invented(list: string): unknown {
  const type = pointerType(list)
  if (type?.kind !== 'list') return {}
  const required: unknown = type.element['required']
  const names = Array.isArray(required) ? required.filter((name) => typeof name === 'string') : []
  return Object.fromEntries(names.map((name) => [name, exampleOf(elementType(type, pointerTo('', name)))]))
}

/** Takes samples from the documents of cases where one has an element, else from the schema. */
export function samplesOf(cases: readonly PreparedCase[]): Samples {
  const known = new Map<string, unknown>()
  return (list) => {
    if (known.has(list)) return known.get(list)
    const tokens = pointerTokens(list)
    const found = cases
      .flatMap(({ base, changed }) => [base, changed])
      .flatMap(({ facts }): unknown[] => [resolveTokens(facts, tokens)].flat(1))
      .find(isObject)
    const sample = found ?? invented(list)
    known.set(list, sample)
    return sample
  }
}
