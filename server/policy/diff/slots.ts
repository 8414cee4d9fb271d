import type { FactDocument } from '../../documents/facts.ts'
import type { Policy } from '../../documents/policy.ts'
import type { Options } from '../../documents/verdict.ts'
import { operator } from '../../evaluation/operators.ts'
import { pointerTokens, resolveTokens } from '../../facts/pointer.ts'
import { elementType, type FactType, pointerType } from '../fact-types.ts'
import { type Compared, representatives } from '../representatives.ts'
import { Undecidable } from './limits.ts'
import { type Place, placeKey, type Use } from './uses.ts'

/** A document with its resolved options, from which witnesses start. */
export interface Base {
  /** What it is called: its path. */
  readonly name: string
  readonly document: FactDocument
  readonly options: Options
}

/** Values that no comparison tells apart, the one to use first. Absence is a class of its own. */
export type ValueClass = readonly unknown[]

/** A fact and all that it can be, as far as the comparisons of it can tell. */
export interface Slot {
  readonly place: Place
  /** The path's tokens. */
  readonly tokens: readonly string[]
  readonly classes: readonly ValueClass[]
}

type Family = Policy['family']

const familyFacts: Readonly<Record<Family, Readonly<Record<string, readonly unknown[]>>>> = {
  'windows-server': { '/os/type': ['windows'], '/request/importAs': ['none'] },
  linux: { '/os/type': ['linux', 'freebsd'], '/request/importAs': ['none'] },
  'nonstandard-linux': {
    '/os/type': [undefined, 'linux', 'freebsd'],
    '/request/importAs': ['others-linux', 'customized-linux'],
  },
  unidentified: { '/os/type': [undefined], '/request/importAs': ['none'] },
}

/** What a document of the family can say at a place of the document or the options. */
function possible(path: string, family: Family, value: unknown): boolean {
  const only = familyFacts[family][path]
  if (only !== undefined) return only.includes(value)
  if (path === '/request/systemDisk/requested') return value !== undefined
  return path !== '/request/systemDisk/sizeBytes' || typeof value !== 'number' || value >= 1
}

/** The value at a place of a base: of the document, or below /request. */
export function baseValue(base: Base, path: string): unknown {
  const [first = '', ...rest] = pointerTokens(path)
  return first === 'request' ? resolveTokens(base.options, rest) : resolveTokens(base.document, [first, ...rest])
}

/** The elements of a list of a base; undefined when it has none. */
export function baseElements(base: Base, list: string): readonly unknown[] | undefined {
  const value = baseValue(base, list)
  return Array.isArray(value) ? value : undefined
}

function typeOf({ list, path }: Place): FactType | undefined {
  if (list === '') return pointerType(path)
  const of = pointerType(list)
  return of === undefined ? undefined : elementType(of, path)
}

/** The values that bases have at a place. They are candidates too, so that a witness can keep them. */
function valuesOfBases({ list, path }: Place, bases: readonly Base[]): unknown[] {
  if (list === '') return bases.map((base) => baseValue(base, path))
  const tokens = pointerTokens(path)
  return bases.flatMap((base) => (baseElements(base, list) ?? []).map((element) => resolveTokens(element, tokens)))
}

/** A constant as something that a fact of this type is compared with: the numbers of major releases are versions, too. */
function asCompared(type: FactType, value: unknown): Compared {
  const isMajor = type.kind === 'string' && type.version && typeof value === 'number'
  return { operator: isMajor ? 'major:equal' : 'equal', value }
}

interface Linked {
  /** Every place that is compared with this one, or with one that is. */
  readonly places: readonly Place[]
  readonly uses: readonly Use[]
}

/** The places that a comparison of facts ties together, each with all uses of any of them. */
function linkedPlaces(uses: readonly Use[]): Map<string, Linked> {
  const linked = new Map<string, { places: Place[]; uses: Use[] }>()
  for (const use of uses) {
    const own = [use.at, ...(use.other === undefined ? [] : [use.other])]
    const sets = new Set(own.map((place) => linked.get(placeKey(place)) ?? { places: [place], uses: [] }))
    const places = [
      ...new Map([...sets].flatMap((set) => set.places).map((place) => [placeKey(place), place])).values(),
    ]
    const merged = { places, uses: [...new Set([...sets].flatMap((set) => set.uses).concat(use))] }
    for (const place of places) linked.set(placeKey(place), merged)
  }
  return linked
}

function knownType(place: Place): FactType {
  const type = typeOf(place)
  if (type === undefined || type.kind === 'object') throw new Undecidable(`nothing is known of ${shown(place)}`)
  return type
}

function shown({ list, path }: Place): string {
  return list === '' ? path : `${path} of ${list}`
}

/** Whether the representatives of facts that are compared with one another are known to be enough. */
function isComparable({ at, operator: name, other }: Use): boolean {
  if (other === undefined) return true
  const { kind } = knownType(at)
  const isVersion = [at, other].some((place) => {
    const type = knownType(place)
    return type.kind === 'string' && type.version
  })
  return (
    kind !== 'list' && (isVersion ? name.startsWith('version:') : !name.includes(':') && !/^(in|notIn)$/.test(name))
  )
}

/** Values that a fact shares with those that it is compared with: their constants, their enumerations, and what bases have. */
function sharedValues({ places, uses }: Linked, bases: readonly Base[]): unknown[] {
  const constants = uses.flatMap(({ value }) => value ?? [])
  const named = places.flatMap((place) => {
    const type = knownType(place)
    return type.kind === 'string' ? [...(type.values ?? []), ...type.text.examples] : []
  })
  return [...constants, ...named, ...places.flatMap((place) => valuesOfBases(place, bases))]
}

function candidates(place: Place, linked: Linked, bases: readonly Base[]): readonly unknown[] {
  const type = knownType(place)
  const { places, uses } = linked
  const strange = uses.find((use) => !isComparable(use))
  if (strange !== undefined)
    throw new Undecidable(`${shown(strange.at)} is compared by ${strange.operator} with another fact`)
  const own = uses.flatMap(({ operator: name, value }) => (value === undefined ? [] : [{ operator: name, value }]))
  const shared = sharedValues(linked, bases)
    .filter((value) => value !== undefined)
    .map((value) => asCompared(type, value))
  // Any two facts may lie below all constants; the least version makes room for both.
  const least = type.kind === 'string' && type.version ? [{ operator: 'version:equal', value: '0' }] : []
  const known = representatives(type, places.length === 1 ? own : [...shared, ...least], places.length)
  if (known === undefined) throw new Undecidable(`${shown(place)} is compared with too many values`)
  return known
}

function classesOf(values: readonly unknown[], uses: readonly Use[]): unknown[][] {
  const classes = new Map<string, unknown[]>()
  for (const value of values) {
    const truths = uses.map((use) => {
      const expected = use.other === undefined ? use.value : value
      return value === undefined ? 'u' : operator(use.operator)(value, expected) ? '1' : '0'
    })
    const key = `${value === undefined} ${truths.join('')}`
    classes.set(key, [...(classes.get(key) ?? []), value])
  }
  return [...classes.values()]
}

/** The same value, of lists too. */
export function same(left: unknown, right: unknown): boolean {
  if (!Array.isArray(left) || !Array.isArray(right)) return left === right
  return left.length === right.length && left.every((one, index) => one === right[index])
}

/**
 * A slot for every place that the uses read, by the place's key. Facts that are compared with one another keep each value apart.
 * Throws Undecidable when a fact is compared with too many values.
 */
export function slotsOf(uses: readonly Use[], family: Family, bases: readonly Base[]): Map<string, Slot> {
  const slots = new Map<string, Slot>()
  for (const [key, linked] of linkedPlaces(uses)) {
    const place = linked.places.find((one) => placeKey(one) === key)
    if (place === undefined) continue
    const all = [...candidates(place, linked, bases), ...valuesOfBases(place, bases)]
    const unique = all.filter((value, index) => all.findIndex((one) => same(one, value)) === index)
    const values = unique.filter((value) => place.list !== '' || possible(place.path, family, value))
    const classes = linked.places.length > 1 ? values.map((value) => [value]) : classesOf(values, linked.uses)
    slots.set(key, { place, tokens: pointerTokens(place.path), classes })
  }
  return slots
}
