import type { FactDocument } from '../documents/facts.ts'
import { isObject, pointerTokens, resolveTokens } from '../facts/pointer.ts'
import { representatives } from '../policy/representatives.ts'
import type { Variable, Variables } from '../policy/variables.ts'
import type { Samples } from './samples.ts'
import type { Situation } from './situation.ts'

/** One change of a situation; what is not changed is shared with it. */
type Edit = (situation: Situation) => Situation

/** Of the elements of a list, so many are changed. */
const maxElements = 4

/** More pairs of changes than this are not tried. */
const maxPairs = 3_000

/** A copy of an object with one value set or, with undefined, left out. */
function withValue(node: unknown, [token, ...rest]: readonly string[], value: unknown): unknown {
  if (token === undefined) return value
  const members = isObject(node) ? node : {}
  const { [token]: before, ...others } = members
  if (before === undefined && value === undefined) return node
  const inner = withValue(before, rest, value)
  return inner === undefined ? others : { ...members, [token]: inner }
}

function withFacts({ facts, request }: Situation, tokens: readonly string[], value: unknown): Situation {
  const changed = withValue(facts, tokens, value)
  const { schema, collection } = facts
  return { facts: isObject(changed) ? { ...changed, schema, collection } : facts, request }
}

function withSize({ facts, request }: Situation, sizeBytes: unknown): Situation {
  const systemDisk = typeof sizeBytes === 'number' ? { requested: true, sizeBytes } : { requested: false }
  return { facts, request: { ...request, systemDisk } }
}

function valuesOf({ type, compared, related }: Variable): readonly unknown[] {
  return representatives(type, compared, related) ?? []
}

function factEdits(variable: Variable): Edit[] {
  const tokens = pointerTokens(variable.path)
  if (variable.path === '/request/systemDisk/sizeBytes') {
    return valuesOf(variable).map((value) => (situation) => withSize(situation, value))
  }
  if (tokens[0] === 'request') return []
  return valuesOf(variable).map((value) => (situation) => withFacts(situation, tokens, value))
}

function listOf(facts: FactDocument, tokens: readonly string[]): readonly unknown[] {
  const value = resolveTokens(facts, tokens)
  return Array.isArray(value) ? value : []
}

function listEdits(list: string, members: readonly Variable[], samples: Samples): Edit[] {
  const tokens = pointerTokens(list)
  const edit = (change: (elements: readonly unknown[]) => unknown): Edit => {
    return (situation) => withFacts(situation, tokens, change(listOf(situation.facts, tokens)))
  }
  const places = Array.from({ length: maxElements }, (_, index) => index)
  const changes = members.flatMap((member) =>
    valuesOf(member).map((value) => (element: unknown) => withValue(element, pointerTokens(member.path), value)),
  )
  return [
    ...places.flatMap((index) =>
      changes.map((change) => edit((all) => all.map((one, at) => (at === index ? change(one) : one)))),
    ),
    ...places.map((index) => edit((all) => all.filter((_, at) => at !== index))),
    edit((all) => [...all, samples(list)]),
    ...changes.map((change) => edit((all) => [...all, change(all[0] ?? samples(list))])),
    edit(() => []),
    edit(() => undefined),
  ]
}

function editsOf({ facts, lists }: Variables, samples: Samples): Edit[] {
  const single = facts.filter(({ list }) => list === undefined).flatMap(factEdits)
  const ofLists = [...lists.keys()].flatMap((list) =>
    listEdits(
      list,
      facts.filter((fact) => fact.list === list),
      samples,
    ),
  )
  return [...single, ...ofLists]
}

/** The situations that differ from one in a single fact that is read, or in two; not all of them need be sound. */
export function* nearby(base: Situation, variables: Variables, samples: Samples, changes: 1 | 2): Generator<Situation> {
  const edits = editsOf(variables, samples)
  if (changes === 1) {
    for (const edit of edits) yield edit(base)
    return
  }
  let left = maxPairs
  for (const [index, edit] of edits.entries()) {
    const once = edit(base)
    for (const second of edits.slice(index + 1)) {
      if (left <= 0) return
      left -= 1
      yield second(once)
    }
  }
}
