import { compareVersions } from '../evaluation/operators.ts'
import type { FactType, TextBounds } from './fact-types.ts'

/** One comparison of a fact: the operator's name and the constant, a parameter's value in its place. */
export interface Compared {
  readonly operator: string
  readonly value: unknown
}

/** Lists are compared with at most so many constants; their subsets are what is enumerated. */
const maxListConstants = 10
const maxVersionParts = 6
const largestPart = 999_999_999

function constantsOf(compared: readonly Compared[]): unknown[] {
  return [...new Set(compared.flatMap(({ value }) => value))]
}

/** Whether a fact of this type may have the value, by its schema: type, enumeration, bounds, pattern. */
export function allows(type: FactType, value: unknown): boolean {
  if (type.kind === 'boolean') return typeof value === 'boolean'
  if (type.kind === 'integer') return Number.isInteger(value) && inBounds(value, type.minimum, type.maximum)
  if (type.kind === 'list') return Array.isArray(value) && value.every((one) => type.of && allows(type.of, one))
  if (type.kind !== 'string' || typeof value !== 'string') return false
  return type.values === undefined ? fitsText(type.text, value) : type.values.includes(value)
}

function inBounds(value: unknown, minimum: number, maximum: number): boolean {
  return typeof value === 'number' && value >= minimum && value <= maximum
}

function fitsText({ minLength, maxLength, pattern }: TextBounds, value: string): boolean {
  const length = [...value].length
  return length >= minLength && length <= maxLength && (pattern === undefined || pattern.test(value))
}

/** Around each constant as many neighbours as facts are compared with one another, so that each can differ. */
function integers(minimum: number, maximum: number, constants: readonly unknown[], related: number): number[] {
  const known = constants.filter((value) => typeof value === 'number')
  const centres = known.length > 0 ? known : [Math.max(minimum, Math.min(maximum, related))]
  const values = centres.flatMap((centre) =>
    Array.from({ length: 2 * related + 1 }, (_, index) =>
      Math.min(maximum, Math.max(minimum, centre - related + index)),
    ),
  )
  return [...new Set(values)].sort((a, b) => a - b)
}

/** The constants that the fact may have, and others that it may have, one for each fact compared. */
function texts(type: FactType & { kind: 'string' }, constants: readonly unknown[], related: number): string[] {
  const known = constants.filter((value) => typeof value === 'string').filter((value) => allows(type, value))
  const invented = Array.from({ length: related + 2 }, (_, index) => ['other', 'a', '0'].map((stem) => stem + index))
  const digits = Array.from({ length: related + 2 }, (_, index) =>
    (type.text.examples[0] ?? '').replace(/.$/, `${index}`),
  )
  const others = (type.values ?? [...type.text.examples, ...invented.flat(), ...digits])
    .filter((value) => !known.includes(value) && allows(type, value))
    .slice(0, related)
  return [...new Set([...known, ...others])]
}

function partsOf(version: string): number[] {
  return version.split('.').map(Number)
}

/** The version so many steps above, with nothing that anybody writes between. */
function above(version: string, steps: number): string | undefined {
  const parts = partsOf(version)
  while (parts.length < maxVersionParts) parts.push(0)
  const last = (parts[maxVersionParts - 1] ?? 0) + steps
  return last > largestPart ? undefined : [...parts.slice(0, -1), last].join('.')
}

function below(version: string): string | undefined {
  const parts = partsOf(version)
  while (parts.at(-1) === 0) parts.pop()
  const last = parts.pop()
  if (last === undefined) return undefined
  const lower = [...parts, last - 1]
  while (lower.length < maxVersionParts) lower.push(largestPart)
  return lower.join('.')
}

/** Another spelling of the same version, which equal tells apart and version:equal does not. */
function respelt(version: string): string | undefined {
  if (partsOf(version).length < maxVersionParts) return `${version}.0`
  return version.endsWith('.0') ? version.slice(0, -2) : undefined
}

/** Every version that is named, and one in each gap between, before and after them. */
function versions(compared: readonly Compared[], related: number): string[] {
  const named = compared.flatMap(({ operator, value }) =>
    (Array.isArray(value) ? value : [value]).flatMap((one: unknown) =>
      operator.startsWith('major:') && typeof one === 'number' ? [`${one}`, `${one + 1}`] : [String(one)],
    ),
  )
  const points = [...new Set(named.length > 0 ? named : ['1'])].sort(compareVersions)
  const lowest = below(points[0] ?? '1')
  const found = points.flatMap((point) => [
    point,
    respelt(point),
    ...Array.from({ length: related }, (_, index) => above(point, index + 1)),
  ])
  return [...new Set([lowest, ...found].filter((value) => value !== undefined))]
}

function subsets(values: readonly unknown[]): unknown[][] {
  let all: unknown[][] = [[]]
  for (const value of values) all = [...all, ...all.map((subset) => [...subset, value])]
  return all
}

/**
 * The finite set of values that tells apart every constant which a fact is compared with: whatever value the fact may have, one of
 * these makes each comparison come out the same. Absence (undefined) is the first. `related` is the number of facts that are compared
 * with one another and with the same constants, at least 1. Undefined when the set would be too large to be of use.
 */
export function representatives(
  type: FactType,
  compared: readonly Compared[],
  related = 1,
): readonly unknown[] | undefined {
  const constants = constantsOf(compared)
  if (type.kind === 'boolean') return [undefined, false, true]
  if (type.kind === 'integer') return [undefined, ...integers(type.minimum, type.maximum, constants, related)]
  if (type.kind === 'string' && type.version) {
    return [undefined, ...versions(compared, related).filter((value) => allows(type, value))]
  }
  if (type.kind === 'string') return [undefined, ...texts(type, constants, related)]
  if (type.kind === 'object' || constants.length > maxListConstants) return undefined
  const { of } = type
  return of === undefined ? undefined : [undefined, ...subsets(constants.filter((value) => allows(of, value)))]
}
