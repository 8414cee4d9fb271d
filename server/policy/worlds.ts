import type { FactDocument } from '../documents/facts.ts'
import type { Options } from '../documents/verdict.ts'
import { isObject, pointerTokens } from '../facts/pointer.ts'
import { compileCondition } from './compile.ts'
import { pointerType } from './fact-types.ts'
import { type CountedCondition, distinctLists } from './list-states.ts'
import { representatives } from './representatives.ts'
import type { Scope } from './scope.ts'
import { type Part, readsOutside, type Variable, variablesOf } from './variables.ts'

/** What conditions read besides parameters. It is changed in place while worlds are searched: copy what is kept. */
export type World = Pick<Scope, 'facts' | 'request'>

/**
 * What a search says of a world in which some facts are still absent. Truth in Kleene logic never turns into anything else when a fact
 * is added, so most searches can give up early.
 */
export type Judgement = 'found' | 'hopeless' | 'open'

/** How a search ended; undecided when there was too much to enumerate. */
export type SearchResult = 'found' | 'none' | 'undecided'

/** One fact or list with the values that it takes; undefined when there are too many. */
interface Dimension {
  readonly tokens: readonly string[]
  values(world: World): readonly unknown[] | undefined
}

const maxElements = 50_000
const maxJudgements = 200_000

function setAt(root: unknown, tokens: readonly string[], value: unknown): void {
  let node: unknown = root
  for (const token of tokens.slice(0, -1)) {
    if (!isObject(node)) return
    node[token] ??= {}
    node = node[token]
  }
  const last = tokens.at(-1)
  if (!isObject(node) || last === undefined) return
  if (value === undefined) delete node[last]
  else node[last] = value
}

/** Every combination of the representatives of an element's members. */
function elementsOf(variables: readonly Variable[], absence: boolean): readonly unknown[] | undefined {
  let combinations: readonly (readonly unknown[])[] = [[]]
  for (const { type, compared, related } of variables) {
    const values = absentLast(representatives(type, compared, related), absence)
    if (values === undefined || combinations.length * values.length > maxElements) return undefined
    combinations = combinations.flatMap((combination) => values.map((value) => [...combination, value]))
  }
  const members = variables.map(({ path }) => pointerTokens(path))
  return combinations.map((combination) => {
    const element = {}
    for (const [index, tokens] of members.entries()) setAt(element, tokens, combination[index])
    return element
  })
}

/** Absence, where it is wanted, comes last: a fact that is not set yet is absent already. */
function absentLast(values: readonly unknown[] | undefined, absence: boolean): readonly unknown[] | undefined {
  if (values === undefined) return undefined
  const present = values.filter((value) => value !== undefined)
  return absence ? [...present, undefined] : present
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** The lists of one pointer; `alone` when its conditions read nothing outside the elements, so that they are the same in every world. */
function listDimension(
  of: string,
  members: readonly Variable[],
  counted: readonly CountedCondition[],
  alone: boolean,
  absence: boolean,
): Dimension {
  const type = pointerType(of)
  const maxItems = type?.kind === 'list' ? type.maxItems : 0
  const elements = once(() => elementsOf(members, absence))
  const lists = (world: World) => {
    const all = elements()
    return all === undefined ? undefined : absentLast(distinctLists(all, counted, world, maxItems), absence)
  }
  const tokens = pointerTokens(of)
  if (!alone) return { tokens, values: lists }
  let known: { readonly values: readonly unknown[] | undefined } | undefined
  return {
    tokens,
    values(world) {
      known ??= { values: lists(world) }
      return known.values
    },
  }
}

/** Facts and options first, lists last: which elements a condition selects may depend on the former. */
function dimensionsOf(parts: readonly Part[], absence: boolean): Dimension[] | undefined {
  const variables = variablesOf(parts)
  if (variables === undefined) return undefined
  const single = variables.facts
    .filter(({ list }) => list === undefined)
    .map(({ path, type, compared, related }): Dimension => {
      const values = absentLast(representatives(type, compared, related), absence)
      return { tokens: pointerTokens(path), values: () => values }
    })
  const lists = [...variables.lists].map(([of, counted]) => {
    const conditions = counted.map(({ condition, parameters, most }) => ({
      where: compileCondition(condition),
      parameters,
      most,
    }))
    const members = variables.facts.filter(({ list }) => list === of)
    const alone = !counted.some(({ condition }) => readsOutside(condition))
    return listDimension(of, members, conditions, alone, absence)
  })
  return [...single, ...lists]
}

/**
 * Searches the worlds that the conditions can tell apart for one that `judge` has found. The judge sees a world after each fact that is set,
 * `complete` once all are; hopeless leaves out what would only add facts. Facts are set in the order in which the parts read them.
 * Without `absence` every fact is present in a complete world: enough, and much faster, where only a truth is sought.
 */
export function searchWorlds(
  parts: readonly Part[],
  judge: (world: World, complete: boolean) => Judgement,
  absence: boolean,
): SearchResult {
  const dimensions = dimensionsOf(parts, absence)
  if (dimensions === undefined) return 'undecided'
  const facts: FactDocument = { schema: 'imagegate.facts/1', collection: { sources: [] } }
  const request: Options = { importAs: 'none', systemDisk: { requested: false } }
  const world: World = { facts, request }
  const set = ({ tokens }: Dimension, value: unknown) =>
    tokens[0] === 'request' ? setAt(request, tokens.slice(1), value) : setAt(facts, tokens, value)
  for (const dimension of dimensions) set(dimension, undefined)
  let judged = 0
  const visit = (depth: number): SearchResult => {
    judged += 1
    if (judged > maxJudgements) return 'undecided'
    const judgement = judge(world, depth === dimensions.length)
    const dimension = dimensions[depth]
    if (judgement === 'found') return 'found'
    if (judgement === 'hopeless' || dimension === undefined) return 'none'
    const values = dimension.values(world)
    if (values === undefined) return 'undecided'
    let result: SearchResult = 'none'
    for (const value of values) {
      set(dimension, value)
      result = visit(depth + 1)
      if (result !== 'none') return result
    }
    set(dimension, undefined)
    return result
  }
  return visit(0)
}
