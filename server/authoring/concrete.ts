import type { FactDocument } from '../documents/facts.ts'
import type { Options } from '../documents/verdict.ts'
import { familyOf } from '../evaluation/family.ts'
import { parseFacts } from '../facts/parse.ts'
import { isObject, pointerTokens, resolveTokens } from '../facts/pointer.ts'
import type { Variables } from '../policy/variables.ts'
import type { World } from '../policy/worlds.ts'
import { matches } from '../schemas.ts'
import type { Samples } from './samples.ts'
import type { Situation } from './situation.ts'

/** A place that conditions read: one fact, or one whole list. */
export interface Read {
  readonly pointer: string
  readonly tokens: readonly string[]
  /** For a list, the tokens of the members of its elements that are read. */
  readonly members: readonly (readonly string[])[]
}

/** The places that some variables stand at. */
export function readsIn({ facts, lists }: Variables): Read[] {
  const single = facts.filter(({ list }) => list === undefined).map(({ path }) => path)
  const read = (pointer: string, members: Read['members']) => ({ pointer, tokens: pointerTokens(pointer), members })
  return [
    ...single.map((pointer) => read(pointer, [])),
    ...[...lists.keys()].map((list) => {
      const members = facts.filter((fact) => fact.list === list).map(({ path }) => pointerTokens(path))
      return read(list, members)
    }),
  ]
}

/** Sets or, with undefined, removes the value at a place of a document that may be changed. */
export function write(root: unknown, tokens: readonly string[], value: unknown): void {
  const last = tokens.at(-1)
  let node: unknown = root
  for (const token of tokens.slice(0, -1)) {
    if (!isObject(node)) return
    if (node[token] === undefined && value === undefined) return
    node[token] ??= {}
    node = node[token]
  }
  if (!isObject(node) || last === undefined) return
  if (value === undefined) delete node[last]
  else node[last] = value
}

function elementLike(template: unknown, wanted: unknown, members: Read['members']): unknown {
  const element = structuredClone(template ?? {})
  for (const tokens of members) write(element, tokens, resolveTokens(wanted, tokens))
  return element
}

/** Removes objects that hold nothing of what is read: a member that must be stated can only be absent with what holds it. */
function withoutHollow(facts: unknown, reads: readonly Read[]): void {
  for (const { tokens } of reads) {
    const parent = tokens.slice(0, -1)
    const below = reads.filter(({ tokens: others }) => parent.every((token, index) => others[index] === token))
    if (parent.length === 0 || below.some((one) => resolveTokens(facts, one.tokens) !== undefined)) continue
    write(facts, parent, undefined)
  }
}

/** A situation made of a base and what a world says of the places that are read; it may not be a valid one. */
function madeOf(base: Situation, world: World, reads: readonly Read[], samples: Samples, hollow: boolean): Situation {
  const facts = structuredClone(base.facts)
  const request: Options = structuredClone(base.request)
  for (const { pointer, tokens, members } of reads) {
    const given =
      tokens[0] === 'request' ? resolveTokens(world.request, tokens.slice(1)) : resolveTokens(world.facts, tokens)
    if (tokens[0] === 'request') {
      write(request, tokens.slice(1), given)
      if (pointer.endsWith('/sizeBytes')) write(request, ['systemDisk', 'requested'], given !== undefined)
      continue
    }
    const before = resolveTokens(facts, tokens)
    const own: readonly unknown[] = Array.isArray(before) ? before : []
    const value =
      Array.isArray(given) && members.length > 0
        ? given.map((element, index) => elementLike(own[index] ?? samples(pointer), element, members))
        : given
    write(facts, tokens, structuredClone(value))
  }
  if (hollow) withoutHollow(facts, reads)
  return { facts, request }
}

/** Whether a case may use this situation: valid facts of the family, options as they are always stated. */
export function isSound({ facts, request }: Situation, family: string): boolean {
  if (!matches('facts', facts) || request.systemDisk.requested !== (request.systemDisk.sizeBytes !== undefined))
    return false
  try {
    parseFacts(Buffer.from(JSON.stringify(facts)))
    return familyOf(facts, request) === family
  } catch {
    return false
  }
}

/** The sound situation nearest to a base that agrees with a world in all that is read; undefined when there is none. */
export function concrete(
  base: Situation,
  world: World,
  reads: readonly Read[],
  samples: Samples,
  family: string,
): Situation | undefined {
  return [false, true]
    .map((hollow) => madeOf(base, world, reads, samples, hollow))
    .find((made) => isSound(made, family))
}

function variants(base: FactDocument, now: FactDocument, { tokens, members }: Read): unknown[] {
  const before = resolveTokens(base, tokens)
  const value = resolveTokens(now, tokens)
  if (JSON.stringify(before) === JSON.stringify(value)) return []
  if (!Array.isArray(before) || !Array.isArray(value) || members.length === 0) return [before]
  const nearer = value.flatMap((element: unknown, index) => {
    const whole: unknown = before[index]
    if (whole === undefined) return [value.toSpliced(index, 1)]
    const parts = members.map((member) => elementLike(element, whole, [member]))
    return [whole, ...parts].map((one) => value.with(index, one))
  })
  return [before, [...value, ...before.slice(value.length)], ...nearer].filter(
    (one) => JSON.stringify(one) !== JSON.stringify(value),
  )
}

/** Takes back, one place after the other, every change of a base that the goal does not need. */
export function minimal(
  base: Situation,
  found: Situation,
  reads: readonly Read[],
  holds: (situation: Situation) => boolean,
): Situation {
  let best = found
  for (let changed = true; changed; ) {
    changed = false
    const request = { facts: best.facts, request: base.request }
    if (best.request !== base.request && holds(request)) {
      best = request
      changed = true
    }
    for (const read of reads.filter(({ tokens }) => tokens[0] !== 'request')) {
      for (const value of variants(base.facts, best.facts, read)) {
        const facts = structuredClone(best.facts)
        write(facts, read.tokens, structuredClone(value))
        if (!holds({ facts, request: best.request })) continue
        best = { facts, request: best.request }
        changed = true
        break
      }
    }
  }
  return best
}
