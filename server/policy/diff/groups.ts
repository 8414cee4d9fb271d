import type { FactDocument } from '../../documents/facts.ts'
import type { Policy } from '../../documents/policy.ts'
import type { Options } from '../../documents/verdict.ts'
import { isAbove, pointerTokens } from '../../facts/pointer.ts'
import { type CompiledCondition, compileCondition, type Kleene } from '../compile.ts'
import type { Scope } from '../scope.ts'
import type { Limits } from './limits.ts'
import { kindsOf, type ListModel, type ListOption, listModel, listOptions } from './lists.ts'
import { holdsTogether, type Requirement, requirementsAbove, setMember } from './members.ts'
import { combinations } from './product.ts'
import { type Base, baseElements, baseValue, type Slot, same, slotsOf } from './slots.ts'
import type { Atom } from './uses.ts'

type Kinds = ReturnType<typeof kindsOf>

/** Atoms that share facts, so that their truths depend on one another, and the facts that they read. */
export interface Group {
  /** Indices of the atoms. */
  readonly atoms: readonly number[]
  readonly slots: readonly Slot[]
  readonly requirements: readonly Requirement[]
  readonly comparisons: readonly Comparison[]
  readonly lists: readonly {
    readonly model: ListModel
    readonly atoms: readonly number[]
    readonly kinds: Map<string, Kinds>
  }[]
}

interface Comparison {
  readonly atom: number
  readonly condition: CompiledCondition
  readonly parameters: Scope['parameters']
}

/** A member to set, or to take away when the value is undefined. */
export interface Edit {
  readonly pointer: string
  readonly value: unknown
}

/** One way for all atoms of a group to be true, false or unknown together. */
export interface Choice {
  readonly truths: ReadonlyMap<number, Kleene>
  /** How many members of the base it changes. */
  readonly cost: number
  edits(): Edit[]
}

function rootsOf(atom: Atom): string[] {
  const places = atom.uses.flatMap(({ at, other }) => [at, ...(other === undefined ? [] : [other])])
  const counted = atom.leaf.fact === 'count' ? [atom.leaf.params.of] : []
  return [...new Set([...counted, ...places.map(({ list, path }) => (list === '' ? path : list))])]
}

const disk = '/request/systemDisk'

/** Sets of places whose presence hangs together by the schema. */
function bundles(paths: readonly string[]): string[][] {
  const objects = paths.flatMap((path) => requirementsAbove(path).filter(({ member }) => paths.includes(member)))
  return [disk, ...objects.map(({ object }) => object)].map((object) => paths.filter((path) => isAbove(object, path)))
}

function joined(sets: readonly (readonly string[])[]): string[][] {
  let found: string[][] = []
  for (const set of sets) {
    const touching = found.filter((one) => one.some((path) => set.includes(path)))
    found = [...found.filter((one) => !touching.includes(one)), [...new Set([...touching.flat(), ...set])]]
  }
  return found.filter((set) => set.length > 0)
}

/** Divides atoms into groups that share no fact. Throws Undecidable when the facts cannot be enumerated. */
export function groupsOf(atoms: readonly Atom[], family: Policy['family'], bases: readonly Base[]): Group[] {
  const slots = slotsOf(
    atoms.flatMap(({ uses }) => uses),
    family,
    bases,
  )
  const roots = atoms.map(rootsOf)
  const sets = joined([...roots, ...bundles([...new Set(roots.flat())])])
  const constants = atoms.flatMap((_, index) => (roots[index]?.length === 0 ? [[index]] : []))
  const shared = sets.map((set) =>
    atoms.flatMap((_, index) => (roots[index]?.some((path) => set.includes(path)) ? [index] : [])),
  )
  return [...shared, ...constants]
    .filter((members) => members.length > 0)
    .map((members) => groupOf(members, atoms, slots))
}

function groupOf(members: readonly number[], atoms: readonly Atom[], slots: ReadonlyMap<string, Slot>): Group {
  const own = members.flatMap((index) => atoms[index] ?? [])
  const paths = new Set(own.flatMap(rootsOf))
  const counted = [...new Set(own.flatMap(({ leaf }) => (leaf.fact === 'count' ? [leaf.params.of] : [])))]
  const lists = counted.map((pointer) => {
    const over = members.filter((index) => {
      const leaf = atoms[index]?.leaf
      return leaf?.fact === 'count' && leaf.params.of === pointer
    })
    return {
      model: listModel(
        pointer,
        over.flatMap((index) => atoms[index] ?? []),
        slots,
      ),
      atoms: over,
      kinds: new Map<string, Kinds>(),
    }
  })
  const comparisons = members.flatMap((atom) => {
    const found = atoms[atom]
    if (found === undefined || found.leaf.fact === 'count') return []
    return [{ atom, condition: compileCondition(found.leaf), parameters: found.parameters }]
  })
  const scalars = [...slots.values()].filter(({ place }) => place.list === '' && paths.has(place.path))
  const requirements = scalars.flatMap(({ place }) => requirementsAbove(place.path))
  return { atoms: members, slots: scalars, requirements, comparisons, lists }
}

function scopeOf(values: ReadonlyMap<string, unknown>): Scope {
  const facts: FactDocument = { schema: 'imagegate.facts/1', collection: { sources: [] } }
  const request: Options = { importAs: 'none', systemDisk: { requested: false } }
  for (const [path, value] of values) {
    if (value === undefined) continue
    if (path.startsWith('/request/')) setMember(request, path.slice('/request'.length), value, {})
    else setMember(facts, path, value, {})
  }
  return { facts, request, parameters: {} }
}

/** Whether the options can be so: a size is stated exactly when one is requested. */
function optionsAgree(values: ReadonlyMap<string, unknown>): boolean {
  const requested = `${disk}/requested`
  const size = `${disk}/sizeBytes`
  if (!values.has(requested) || !values.has(size)) return true
  return (values.get(requested) === true) === (values.get(size) !== undefined)
}

function outerKey(model: ListModel, group: Group, classes: readonly number[]): string {
  return group.slots.map(({ place }, index) => (model.outer.includes(place.path) ? classes[index] : '')).join()
}

function listsOf(
  group: Group,
  classes: readonly number[],
  scope: Scope,
  base: Base | undefined,
  limits: Limits,
): ListOption[][] {
  return group.lists.map(({ model, kinds }) => {
    const key = outerKey(model, group, classes)
    const known = kinds.get(key) ?? kindsOf(model, scope, limits)
    kinds.set(key, known)
    return listOptions(model, known, scope, base === undefined ? undefined : baseElements(base, model.pointer), limits)
  })
}

function* assignments(group: Group, base: Base | undefined, limits: Limits) {
  for (const classes of combinations(
    group.slots.map((slot) => slot.classes.length),
    limits.combinations,
  )) {
    const edits: Edit[] = []
    const values = new Map<string, unknown>()
    for (const [index, { place, classes: all }] of group.slots.entries()) {
      const like = all[classes[index] ?? 0] ?? []
      const kept = base === undefined ? undefined : baseValue(base, place.path)
      const keeps = like.some((value) => same(value, kept))
      values.set(place.path, keeps ? kept : like[0])
      if (!keeps) edits.push({ pointer: place.path, value: like[0] })
    }
    const present = new Map([...values].map(([path, value]) => [path, value !== undefined]))
    if (holdsTogether(present, group.requirements, false) && optionsAgree(values))
      yield { classes, edits, scope: scopeOf(values) }
  }
}

/**
 * Every way in which the atoms of a group can be true, false or unknown together, by its key, each with the fewest changes of the base
 * (of a document that states nothing when there is none). The key's are the same for every base. Throws Undecidable beyond the limits.
 */
export function choicesOf(group: Group, base: Base | undefined, limits: Limits): Map<string, Choice> {
  const choices = new Map<string, Choice>()
  for (const { classes, edits, scope } of assignments(group, base, limits)) {
    const compared = group.comparisons.map(
      ({ atom, condition, parameters }) => [atom, condition.test({ ...scope, parameters }, undefined)] as const,
    )
    const lists = listsOf(group, classes, scope, base, limits)
    for (const picked of combinations(
      lists.map((options) => options.length),
      limits.combinations,
    )) {
      const options = lists.flatMap((all, index) => all[picked[index] ?? 0] ?? [])
      const counted = options.flatMap(({ truths }, index) =>
        (group.lists[index]?.atoms ?? []).map((atom, place) => [atom, truths[place]] as const),
      )
      const truths = new Map<number, Kleene>([...compared, ...counted])
      const key = group.atoms.map((atom) => `${truths.get(atom)}`).join()
      const cost = edits.length + options.reduce((sum, option) => sum + option.cost, 0)
      const known = choices.get(key)
      if (known !== undefined && known.cost <= cost) continue
      choices.set(key, {
        truths,
        cost,
        edits: () => [...edits, ...options.flatMap((option, index) => listEdits(group, index, option, base))],
      })
    }
  }
  return choices
}

function listEdits(group: Group, index: number, option: ListOption, base: Base | undefined): Edit[] {
  const pointer = group.lists[index]?.model.pointer
  if (pointer === undefined || (base !== undefined && option.cost === 0)) return []
  return [{ pointer, value: option.build() }]
}

/** The tokens of a pointer below /request; undefined for a pointer into the document. */
export function optionTokens(pointer: string): string[] | undefined {
  const [first, ...rest] = pointerTokens(pointer)
  return first === 'request' ? rest : undefined
}
