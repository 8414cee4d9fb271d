import type { Count } from '../../documents/policy.ts'
import { type Compare, operator } from '../../evaluation/operators.ts'
import { isObject, pointerTokens, resolveTokens } from '../../facts/pointer.ts'
import { type CompiledCondition, compileCondition, type Kleene } from '../compile.ts'
import { pointerType, type SchemaNode } from '../fact-types.ts'
import { countHolds } from '../interval.ts'
import type { Scope } from '../scope.ts'
import { type Limits, Undecidable } from './limits.ts'
import { holdsTogether, newElement, type Requirement, requirementsAbove, setMember } from './members.ts'
import { combinations } from './product.ts'
import { type Slot, same } from './slots.ts'
import { type Atom, usesOf } from './uses.ts'

interface CountAtom {
  readonly where: number
  readonly operator: Count['operator']
  readonly compare: Compare
  readonly value: number
}

interface Where {
  readonly condition: CompiledCondition
  readonly parameters: Scope['parameters']
  /** Counts above this are all alike. */
  readonly cap: number
  /** What one more certainly selected element, and one more that may be selected, adds to the number of a state. */
  readonly weights: readonly [atLeast: number, atMost: number]
}

/** A list and everything that is counted in it. */
export interface ListModel {
  readonly pointer: string
  readonly maxItems: number
  readonly element: SchemaNode
  readonly slots: readonly Slot[]
  readonly requirements: readonly Requirement[]
  readonly wheres: readonly Where[]
  /** In the order of the atoms. */
  readonly counts: readonly CountAtom[]
  /** Places outside the list that decide what is counted. */
  readonly outer: readonly string[]
}

/** Elements alike in all that is counted, as the classes of their slots. */
interface Kind {
  readonly truths: readonly Kleene[]
  readonly members: readonly (readonly number[])[]
}

/** A way to a truth of every count: its cost in changed members, and the list itself, undefined when it is absent. */
export interface ListOption {
  readonly truths: readonly Kleene[]
  readonly cost: number
  build(): readonly unknown[] | undefined
}

function weighed(wheres: readonly Omit<Where, 'weights'>[]): Where[] {
  let weight = 1
  const found = wheres.map((where) => {
    const weights = [weight, weight * (where.cap + 1)] as const
    weight *= (where.cap + 1) ** 2
    return { ...where, weights }
  })
  if (!Number.isSafeInteger(weight)) throw new Undecidable('too many counts of one list differ')
  return found
}

/** The model of a list for the counts over it. */
export function listModel(pointer: string, atoms: readonly Atom[], slots: ReadonlyMap<string, Slot>): ListModel {
  const type = pointerType(pointer)
  if (type?.kind !== 'list') throw new Undecidable(`nothing is known of ${pointer}`)
  const conditions = new Map<string, { condition: CompiledCondition; parameters: Scope['parameters']; cap: number }>()
  const counts: CountAtom[] = []
  for (const { leaf, parameters } of atoms) {
    if (leaf.fact !== 'count') continue
    const key = JSON.stringify([leaf.params.where, parameters])
    const known = conditions.get(key) ?? { condition: compileCondition(leaf.params.where), parameters, cap: 0 }
    conditions.set(key, { ...known, cap: Math.max(known.cap, leaf.value + 1) })
    const where = [...conditions.keys()].indexOf(key)
    counts.push({ where, operator: leaf.operator, compare: operator(leaf.operator), value: leaf.value })
  }
  const uses = atoms.flatMap(({ leaf }) => usesOf(leaf))
  const places = uses.flatMap(({ at, other }) => [at, ...(other === undefined ? [] : [other])])
  const own = [...slots.values()].filter(({ place }) => place.list === pointer)
  return {
    pointer,
    maxItems: type.maxItems,
    element: type.element,
    slots: own,
    requirements: own.flatMap(({ place }) => requirementsAbove(place.path, type.element)),
    wheres: weighed([...conditions.values()]),
    counts,
    outer: [...new Set(places.filter(({ list }) => list === '').map(({ path }) => path))],
  }
}

function chosen({ slots }: ListModel, classes: readonly number[]): [string, unknown][] {
  return slots.map(({ place, classes: all }, index) => [place.path, all[classes[index] ?? 0]?.[0]])
}

function truthsOf(model: ListModel, element: unknown, scope: Scope): Kleene[] {
  return model.wheres.map(({ condition, parameters }) => condition.test({ ...scope, parameters }, element))
}

/** Every kind of element that the schema allows. */
export function kindsOf(model: ListModel, scope: Scope, limits: Limits): Kind[] {
  const kinds = new Map<string, { truths: readonly Kleene[]; members: number[][] }>()
  const sizes = model.slots.map(({ classes }) => classes.length)
  const properties = model.element['properties']
  const read = new Set(model.slots.map(({ place }) => pointerTokens(place.path)[0]))
  // No element may be empty, so one without any member that is read needs another.
  const canBeBare = isObject(properties) && Object.keys(properties).some((name) => !read.has(name))
  for (const classes of combinations(sizes, limits.combinations)) {
    const members = chosen(model, classes)
    const present = new Map(members.map(([path, value]) => [path, value !== undefined]))
    if (
      !holdsTogether(present, model.requirements, true) ||
      (!canBeBare && members.every(([, value]) => value === undefined))
    )
      continue
    const element: Record<string, unknown> = {}
    for (const [path, value] of members) if (value !== undefined) setMember(element, path, value, {})
    const truths = truthsOf(model, element, scope)
    const kind = kinds.get(truths.join()) ?? { truths, members: [] }
    kind.members.push([...classes])
    kinds.set(truths.join(), kind)
  }
  return [...kinds.values()]
}

type Action =
  | { readonly kind: 'keep'; readonly element: unknown }
  | { readonly kind: 'change'; readonly element: unknown; readonly classes: readonly number[] }
  | { readonly kind: 'add'; readonly classes: readonly number[] }

interface State {
  /** The bounds as one number. */
  readonly key: number
  /** For each where the certainly selected elements, and those plus the undecided ones, no higher than its cap. */
  readonly bounds: readonly number[]
  readonly cost: number
  readonly length: number
  readonly from: State | undefined
  readonly action: Action | undefined
}

function after(state: State, model: ListModel, truths: readonly Kleene[], cost: number, action: Action): State {
  const bounds = [...state.bounds]
  let key = state.key
  for (const [index, { cap, weights }] of model.wheres.entries()) {
    const holds = truths[index]
    if (holds === false) continue
    for (const side of holds === true ? ([0, 1] as const) : ([1] as const)) {
      const bound = bounds[2 * index + side] ?? 0
      if (bound >= cap) continue
      bounds[2 * index + side] = bound + 1
      key += weights[side]
    }
  }
  return { key, bounds, cost: state.cost + cost, length: state.length + 1, from: state, action }
}

class States {
  readonly known = new Map<number, State>()
  readonly #limits: Limits

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** Whether this is the cheapest way so far. */
  offer(state: State): boolean {
    const known = this.known.get(state.key)
    if (known !== undefined && known.cost <= state.cost) return false
    this.known.set(state.key, state)
    if (this.known.size > this.#limits.counts) throw new Undecidable('too many counts of one list differ')
    return true
  }
}

function changedSlots({ slots }: ListModel, classes: readonly number[], element: unknown): [string, unknown][] {
  return slots.flatMap(({ place, tokens, classes: all }, index): [string, unknown][] => {
    const kept = resolveTokens(element, tokens)
    const values = all[classes[index] ?? 0] ?? []
    return values.some((value) => same(value, kept)) ? [] : [[place.path, values[0]]]
  })
}

function cheapest(model: ListModel, kind: Kind, element: unknown): { classes: readonly number[]; cost: number } {
  let best = { classes: kind.members[0] ?? [], cost: Number.POSITIVE_INFINITY }
  for (const classes of kind.members) {
    const cost = changedSlots(model, classes, element).length
    if (cost < best.cost) best = { classes, cost }
  }
  return best
}

function withElements(
  model: ListModel,
  kinds: readonly Kind[],
  scope: Scope,
  start: State,
  elements: readonly unknown[],
  limits: Limits,
): States {
  let states = new States(limits)
  states.offer(start)
  for (const element of elements) {
    const next = new States(limits)
    const own = truthsOf(model, element, scope)
    const changes = kinds
      .filter(({ truths }) => truths.join() !== own.join())
      .map((kind) => ({ kind, ...cheapest(model, kind, element) }))
    for (const state of states.known.values()) {
      next.offer(after(state, model, own, 0, { kind: 'keep', element }))
      next.offer({ ...state, cost: state.cost + 1 })
      for (const { kind, classes, cost } of changes) {
        next.offer(after(state, model, kind.truths, cost, { kind: 'change', element, classes }))
      }
    }
    states = next
  }
  return states
}

function addElements(model: ListModel, kinds: readonly Kind[], states: States): void {
  const queue = [...states.known.values()].sort((a, b) => a.cost - b.cost)
  for (const state of queue) {
    if (state.length >= model.maxItems || states.known.get(state.key) !== state) continue
    for (const { truths, members } of kinds) {
      const next = after(state, model, truths, 1, { kind: 'add', classes: members[0] ?? [] })
      if (states.offer(next)) queue.push(next)
    }
  }
}

function built(model: ListModel, last: State): unknown[] {
  const elements: unknown[] = []
  for (let state: State | undefined = last; state !== undefined; state = state.from) {
    const { action } = state
    if (action === undefined) continue
    if (action.kind === 'add') elements.unshift(newElement(chosen(model, action.classes), model.element))
    else if (action.kind === 'keep') elements.unshift(action.element)
    else {
      const element: unknown = structuredClone(action.element)
      if (typeof element !== 'object' || element === null) continue
      for (const [path, value] of changedSlots(model, action.classes, element))
        setMember(element, path, value, model.element)
      elements.unshift(
        Object.keys(element).length > 0 ? element : newElement(chosen(model, action.classes), model.element),
      )
    }
  }
  return elements
}

/**
 * Every truth that the counts over a list can have together, by lists of any length, each with the fewest changes of the given
 * elements: one for a member that is changed, and one for an element that is added or removed.
 */
export function listOptions(
  model: ListModel,
  kinds: readonly Kind[],
  scope: Scope,
  elements: readonly unknown[] | undefined,
  limits: Limits,
): ListOption[] {
  const bounds = model.wheres.flatMap(() => [0, 0])
  const start: State = {
    key: 0,
    bounds,
    cost: elements === undefined ? 1 : 0,
    length: 0,
    from: undefined,
    action: undefined,
  }
  const states = withElements(model, kinds, scope, start, elements ?? [], limits)
  addElements(model, kinds, states)
  const absent = {
    truths: model.counts.map(() => undefined),
    cost: elements === undefined ? 0 : 1,
    build: () => undefined,
  }
  const options = new Map<string, ListOption>()
  for (const state of states.known.values()) {
    const truths = model.counts.map(({ where, operator: name, compare, value }) => {
      const interval = { atLeast: state.bounds[2 * where] ?? 0, atMost: state.bounds[2 * where + 1] ?? 0 }
      return countHolds(name, compare, interval, value)
    })
    const known = options.get(truths.join())
    if (known === undefined || state.cost < known.cost) {
      options.set(truths.join(), { truths, cost: state.cost, build: () => built(model, state) })
    }
  }
  return [absent, ...options.values()]
}
