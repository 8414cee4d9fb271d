import type { Constants, Count, Operator, Constant as Scalar } from '../documents/policy.ts'
import type { FactType } from '../policy/fact-types.ts'
import { allows } from '../policy/representatives.ts'

/** A constant, or a set of them. */
export type Constant = Scalar | Constants

/** Another constant in the place of one, and what was changed, for people. */
export interface ValueVariant {
  readonly change: string
  readonly value: Constant
}

type Orders = Count['operator']

/** What an operator of numbers is changed into: its opposite, and for an order the one that treats the bound otherwise. */
export const otherOrders: Readonly<Record<Orders, readonly Orders[]>> = {
  equal: ['notEqual'],
  notEqual: ['equal'],
  lessThan: ['lessThanInclusive', 'greaterThanInclusive'],
  lessThanInclusive: ['lessThan', 'greaterThan'],
  greaterThan: ['greaterThanInclusive', 'lessThanInclusive'],
  greaterThanInclusive: ['greaterThan', 'lessThan'],
}

/** The same of every operator. */
export const otherOperators: Readonly<Record<Operator, readonly Operator[]>> = {
  ...otherOrders,
  in: ['notIn'],
  notIn: ['in'],
  contains: ['doesNotContain'],
  doesNotContain: ['contains'],
  'version:equal': ['version:lessThan', 'version:greaterThan'],
  'version:lessThan': ['version:lessThanInclusive', 'version:greaterThanInclusive'],
  'version:lessThanInclusive': ['version:lessThan', 'version:greaterThan'],
  'version:greaterThan': ['version:greaterThanInclusive', 'version:lessThanInclusive'],
  'version:greaterThanInclusive': ['version:greaterThan', 'version:lessThan'],
  'major:equal': ['major:lessThan', 'major:greaterThan'],
  'major:in': ['major:notIn'],
  'major:notIn': ['major:in'],
  'major:lessThan': ['major:lessThanInclusive', 'major:greaterThanInclusive'],
  'major:lessThanInclusive': ['major:lessThan', 'major:greaterThan'],
  'major:greaterThan': ['major:greaterThanInclusive', 'major:lessThanInclusive'],
  'major:greaterThanInclusive': ['major:greaterThan', 'major:lessThan'],
}

const version = /^\d+(\.\d+)*$/
const date = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$/

/** The versions beside one: its last number one higher, and its last number that is not 0 one lower with zeros after it. */
function versionsBeside(text: string): string[] {
  const parts = text.split('.').map(Number)
  const higher = parts.with(-1, (parts.at(-1) ?? 0) + 1)
  const last = parts.findLastIndex((part) => part > 0)
  const lower = last < 0 ? [] : [parts.map((part, index) => (index === last ? part - 1 : part))]
  return [...lower, higher].map((one) => one.join('.'))
}

/** The days before and after a date, the seconds before and after an instant. */
function datesBeside(text: string): string[] {
  const at = Date.parse(text)
  if (Number.isNaN(at)) return []
  const instant = text.includes('T')
  const step = instant ? 1_000 : 86_400_000
  return [at - step, at + step].map((time) =>
    new Date(time)
      .toISOString()
      .replace('.000Z', 'Z')
      .slice(0, instant ? 20 : 10),
  )
}

function beside(value: Constant, type: FactType | undefined): Constant[] {
  if (typeof value === 'number') return [value - 1, value + 1]
  if (typeof value !== 'string') return []
  if (date.test(value)) return datesBeside(value)
  const isVersion = type?.kind === 'string' && type.version && type.values === undefined
  return isVersion && version.test(value) ? versionsBeside(value) : []
}

/** Values that a set can be widened by: all others of a closed list, the numbers beside it, else one that is spoken of elsewhere. */
function others(set: readonly unknown[], type: FactType | undefined, spoken: readonly unknown[]): unknown[] {
  const numbers = set.filter((one) => typeof one === 'number')
  if (numbers.length > 0) return [Math.min(...numbers) - 1, Math.max(...numbers) + 1].filter((one) => one >= 0)
  if (type?.kind !== 'string') return []
  if (type.values !== undefined) return type.values.filter((one) => !set.includes(one))
  const known = [...spoken, ...type.text.examples].filter((one) => typeof one === 'string' && !set.includes(one))
  return [known[0] ?? `${String(set[0])}x`].filter((one) => allows(type, one))
}

function isConstants(values: unknown[]): values is Constants {
  return values.every((one) => typeof one === 'string' || typeof one === 'number')
}

function setVariants(set: readonly unknown[], type: FactType | undefined, spoken: readonly unknown[]): ValueVariant[] {
  const narrower =
    set.length < 2
      ? []
      : set.map((one, index) => ({ change: `without ${JSON.stringify(one)}`, value: set.toSpliced(index, 1) }))
  const wider = others(set, type, spoken).map((one) => ({
    change: `with ${JSON.stringify(one)}`,
    value: [...set, one],
  }))
  return [...narrower, ...wider].flatMap(({ change, value }) => (isConstants(value) ? [{ change, value }] : []))
}

/**
 * A constant's neighbours: bounds shifted by one both ways, versions and dates too, and sets with one value less or more.
 * `spoken` are values that the rule compares the same fact with.
 */
export function valueVariants(value: Constant, type: FactType | undefined, spoken: readonly unknown[]): ValueVariant[] {
  if (Array.isArray(value)) return setVariants(value, type, spoken)
  const low = type?.kind === 'integer' ? Math.max(0, type.minimum) : 0
  return beside(value, type)
    .filter((one) => typeof one !== 'number' || one >= low)
    .map((one) => ({ change: `${JSON.stringify(value)} -> ${JSON.stringify(one)}`, value: one }))
}
