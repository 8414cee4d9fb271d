import type { Comparison, Condition, Count, Reference } from '../documents/policy.ts'
import { elementType, type FactType, pointerType } from './fact-types.ts'
import type { Compared } from './representatives.ts'

/** A condition with the parameters of its policy, by name. It must have passed the schema and the profile. */
export interface Part {
  readonly condition: Condition
  readonly parameters: Readonly<Record<string, unknown>>
}

/** One fact that conditions read. */
export interface Variable {
  /** Pointer in the document, or inside an element of the list. */
  readonly path: string
  /** The list whose elements have it; undefined for a fact of the document or an option. */
  readonly list: string | undefined
  readonly type: FactType
  /** All that it, or a fact that it is compared with, is compared with. */
  readonly compared: readonly Compared[]
  /** How many facts are compared with one another, this one included. */
  readonly related: number
}

/** One condition that counts elements of a list, and the largest number that the count is compared with. */
export interface Counted extends Part {
  readonly most: number
}

/** All that decides some conditions. */
export interface Variables {
  readonly facts: readonly Variable[]
  /** By pointer of the list. */
  readonly lists: ReadonlyMap<string, readonly Counted[]>
}

interface Found {
  readonly path: string
  readonly list: string | undefined
  readonly type: FactType
  readonly compared: Compared[]
  readonly peers: Set<string>
}

interface Gathered {
  readonly found: Map<string, Found>
  readonly lists: Map<string, Counted[]>
}

function isReference(value: Comparison['value']): value is Reference {
  return typeof value === 'object' && !Array.isArray(value)
}

function typeOf(fact: string, path: string, list: string | undefined): FactType | undefined {
  if (fact !== 'element') return pointerType(`/${fact}${path}`)
  const type = list === undefined ? undefined : pointerType(list)
  return type === undefined ? undefined : elementType(type, path)
}

function find(fact: string, path: string, list: string | undefined, gathered: Gathered): string | undefined {
  const own = fact === 'element' ? list : undefined
  const place = fact === 'element' ? path : `/${fact}${path}`
  const id = own === undefined ? place : `${own}/*${place}`
  if (gathered.found.has(id)) return id
  const type = typeOf(fact, path, list)
  if (type === undefined) return undefined
  gathered.found.set(id, { path: place, list: own, type, compared: [], peers: new Set([id]) })
  return id
}

function relate(left: string, right: string, { found }: Gathered): void {
  const peers = new Set([...(found.get(left)?.peers ?? []), ...(found.get(right)?.peers ?? [])])
  for (const peer of peers) for (const other of peers) found.get(peer)?.peers.add(other)
}

function gatherComparison(leaf: Comparison, part: Part, list: string | undefined, gathered: Gathered): void {
  const constant = (reference: Reference) => part.parameters[reference.path.slice(1)]
  const { value, operator } = leaf
  const left = leaf.fact === 'parameters' ? undefined : find(leaf.fact, leaf.path, list, gathered)
  const right =
    isReference(value) && value.fact !== 'parameters' ? find(value.fact, value.path, list, gathered) : undefined
  if (left !== undefined && right !== undefined) return relate(left, right, gathered)
  const other = left === undefined ? part.parameters[leaf.path.slice(1)] : isReference(value) ? constant(value) : value
  gathered.found.get(left ?? right ?? '')?.compared.push({ operator, value: other })
}

function gatherCount(leaf: Count, part: Part, gathered: Gathered): void {
  const { of, where } = leaf.params
  const counted = { condition: where, parameters: part.parameters, most: leaf.value }
  gathered.lists.set(of, [...(gathered.lists.get(of) ?? []), counted])
  gather({ ...part, condition: where }, of, gathered)
}

function gather(part: Part, list: string | undefined, gathered: Gathered): void {
  const { condition } = part
  if ('all' in condition) for (const child of condition.all) gather({ ...part, condition: child }, list, gathered)
  else if ('any' in condition) for (const child of condition.any) gather({ ...part, condition: child }, list, gathered)
  else if ('not' in condition) gather({ ...part, condition: condition.not }, list, gathered)
  else if (condition.fact === 'count') gatherCount(condition, part, gathered)
  else gatherComparison(condition, part, list, gathered)
}

/** Facts of different kinds that are compared with one another, such as an element with a list, are beyond the representatives. */
function isComparable(one: Found, found: ReadonlyMap<string, Found>): boolean {
  const types = [...one.peers].map((id) => found.get(id)?.type)
  const version = one.type.kind === 'string' && one.type.version
  return types.every((type) => type?.kind === one.type.kind && (type.kind === 'string' && type.version) === version)
}

/** Every fact and list that the conditions read, in the order of reading; undefined when they cannot be enumerated. */
export function variablesOf(parts: readonly Part[]): Variables | undefined {
  const gathered: Gathered = { found: new Map(), lists: new Map() }
  for (const part of parts) gather(part, undefined, gathered)
  const { found, lists } = gathered
  const all = [...found.values()]
  if (!all.every((one) => one.peers.size === 1 || (one.type.kind !== 'list' && isComparable(one, found))))
    return undefined
  const facts = all.map(({ path, list, type, peers }) => {
    const compared = [...peers].flatMap((id) => found.get(id)?.compared ?? [])
    return { path, list, type, compared, related: peers.size }
  })
  return { facts, lists }
}

/** Whether a condition on elements reads a fact or option outside them. */
export function readsOutside(condition: Condition): boolean {
  if ('all' in condition) return condition.all.some(readsOutside)
  if ('any' in condition) return condition.any.some(readsOutside)
  if ('not' in condition) return readsOutside(condition.not)
  if (condition.fact === 'count') return true
  const inside = (fact: string) => fact === 'element' || fact === 'parameters'
  return !inside(condition.fact) || (isReference(condition.value) && !inside(condition.value.fact))
}
