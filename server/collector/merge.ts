import type { FactDocument } from '../documents/facts.ts'
import { isObject, pointerTo } from '../facts/pointer.ts'
import { missingEntries } from './merge-missing.ts'
import { soundFacts } from './merge-sound.ts'
import type { Facts, Missing } from './part.ts'

type Source = FactDocument['collection']['sources'][number]

/** Who gave facts, when and how: a source without its pointers. */
export type Origin = Omit<Source, 'pointers'>

/** Facts of one origin. */
export interface Contribution {
  readonly facts: Facts
  readonly origin: Origin
}

/** Facts with the origin of every value in them, by pointer. */
export interface Merged {
  readonly facts: Facts
  readonly origins: ReadonlyMap<string, Origin>
}

const maxSources = 256
const maxPointers = 512

type Visit = (pointer: string, value: unknown) => void

/** Calls visit for every value that holds no other: scalars, and lists and objects without members. */
export function eachLeaf(value: unknown, visit: Visit, pointer = ''): void {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  if (entries.length === 0) visit(pointer, value)
  for (const [token, child] of entries) eachLeaf(child, visit, pointerTo(pointer, token))
}

/** Takes over the members of given: objects are merged, anything else is replaced. */
function absorb(target: object, given: object): void {
  for (const [name, value] of Object.entries(given)) {
    const known: unknown = Reflect.get(target, name)
    if (isObject(known) && isObject(value)) absorb(known, value)
    else Reflect.set(target, name, structuredClone(value))
  }
}

/** Merges contributions in their order. A value that a later one only repeats keeps its first origin. */
export function mergeFacts(contributions: readonly Contribution[]): Merged {
  const facts: Facts = {}
  const known = new Map<string, { readonly value: unknown; readonly origin: Origin }>()
  for (const { facts: given, origin } of contributions) {
    absorb(facts, given)
    eachLeaf(given, (pointer, value) => {
      if (known.get(pointer)?.value !== value) known.set(pointer, { value, origin })
    })
  }
  return { facts, origins: new Map([...known].map(([pointer, { origin }]) => [pointer, origin])) }
}

interface Tree {
  readonly pointer: string
  readonly children: readonly Tree[]
  readonly counts: ReadonlyMap<Origin, number>
}

function treeOf(value: unknown, pointer: string, origins: Merged['origins'], fallback: Origin): Tree {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  if (entries.length === 0) return { pointer, children: [], counts: new Map([[origins.get(pointer) ?? fallback, 1]]) }
  const children = entries.map(([token, child]) => treeOf(child, pointerTo(pointer, token), origins, fallback))
  const counts = new Map<Origin, number>()
  for (const child of children)
    for (const [origin, count] of child.counts) counts.set(origin, (counts.get(origin) ?? 0) + count)
  return { pointer, children, counts }
}

/** States the origin of most values once above them, and below it the exceptions: the longest pointer wins. */
function place(tree: Tree, inherited: Origin | undefined, found: Map<Origin, string[]>): void {
  const [most] = [...tree.counts].toSorted(([, a], [, b]) => b - a)
  if (most === undefined) return
  const [origin] = most
  if (origin !== inherited) found.set(origin, [...(found.get(origin) ?? []), tree.pointer])
  if (tree.counts.size > 1) for (const child of tree.children) place(child, origin, found)
}

function sourcesOf({ facts, origins }: Merged, fallback: Origin): Source[] {
  const found = new Map<Origin, string[]>()
  for (const [name, value] of Object.entries(facts)) {
    place(treeOf(value, `/${name}`, origins, fallback), undefined, found)
  }
  const sources = [...found].flatMap(([origin, pointers]) => {
    const count = Math.ceil(pointers.length / maxPointers)
    const pages = Array.from({ length: count }, (_, page) =>
      pointers.slice(page * maxPointers, (page + 1) * maxPointers),
    )
    return pages.map((page) => ({ pointers: page, ...origin }))
  })
  return sources.length === 0 || sources.length > maxSources ? [{ pointers: [''], ...fallback }] : sources
}

/**
 * The document of merged facts: what is not sound (a secret, a value that the schema does not admit) is taken out and told as missing, and
 * every fact has its source. `own` is the origin of whatever nobody else gave.
 */
export function documentOf(merge: Merged, missing: readonly Missing[], own: Origin): FactDocument {
  const { facts, removed } = soundFacts(merge.facts)
  const sources = sourcesOf({ ...merge, facts }, own)
  return {
    schema: 'imagegate.facts/1',
    ...facts,
    collection: { sources, missing: missingEntries([...removed, ...missing]) },
  }
}
