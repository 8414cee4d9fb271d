import type { KeyObject } from 'node:crypto'
import { canonicalize } from '../digest.ts'
import type { Checkpoint } from '../documents/checkpoint.ts'
import type { Verification } from '../documents/verification.ts'
import { matches, problemsOf } from '../schemas.ts'
import { type ChainEntry, checkSignature } from './chain.ts'
import { ChainWalk } from './verify-chain.ts'
import type { AuditProblem, AuditProblems } from './verify-problems.ts'

/** What the chain of one tenant came to. */
export type ChainSummary = Pick<Verification['tenants'][number], 'entries' | 'head' | 'outside' | 'signed'>

/** What is walked of one tenant. */
export interface ChainSources {
  readonly tenant: string
  /** By sequence number. */
  readonly entries: AsyncIterable<ChainEntry>
  /** Checkpoints that lie in the database, by sequence number, whatever they hold; absent where there is no database. */
  readonly stored?: AsyncIterable<unknown>
  /** True where only some of those in the database are at hand. */
  readonly storedInPart?: boolean
  /** Checkpoints that lie outside, by sequence number, each sound. */
  readonly outside: readonly Checkpoint[]
  readonly keys: readonly KeyObject[]
}

/** What is wrong with a checkpoint by itself, in one sentence; undefined when it is signed with one of the keys. */
export function faultOfCheckpoint(value: unknown, keys: readonly KeyObject[]): string | undefined {
  if (!matches('checkpoint', value)) {
    const [first] = problemsOf('checkpoint', value)
    return `It is no checkpoint: ${first?.pointer ?? ''} ${first?.message ?? ''}`
  }
  const state = checkSignature(value, keys)
  if (state === 'key unknown') return `It is signed with the key ${value.key}, which was not given.`
  return state === 'valid' ? undefined : 'Its signature is not valid.'
}

/** Whole seconds from a time in RFC 3339 to one in milliseconds since 1970, rounded up. */
export function secondsSince(time: string, now: number): number {
  return Math.max(0, Math.ceil((now - Date.parse(time)) / 1000))
}

/** Compares checkpoints with the chain as it is walked. */
class CheckpointWalk {
  readonly #walk: ChainWalk
  readonly #tenant: string
  readonly #problems: AuditProblems
  /** Segments that end otherwise than a checkpoint says: the first after each one that agreed. */
  readonly #disagreements: AuditProblem[] = []
  /** The newest checkpoints that agree with the chain. */
  outside: Checkpoint | undefined
  signed: Checkpoint | undefined
  /** The sound checkpoint that reaches furthest, whether or not the chain does. */
  #furthest = 0
  /** How far the checkpoints of the database reach without a gap. */
  #reached = 0

  readonly #inPart: boolean

  constructor(walk: ChainWalk, { tenant, storedInPart = false }: ChainSources, problems: AuditProblems) {
    this.#walk = walk
    this.#inPart = storedInPart
    this.#tenant = tenant
    this.#problems = problems
  }

  /** Compares the chain up to here with a sound checkpoint that ends here. */
  compare(checkpoint: Checkpoint, where: 'checkpoints' | 'outside checkpoint'): void {
    const { from, sequence, link, root } = checkpoint
    this.#furthest = Math.max(this.#furthest, sequence)
    if (this.#walk.last.sequence !== sequence) return
    const segment = this.#walk.segment(from)
    const differs = this.#walk.last.link !== link ? ['link'] : segment && segment.root !== root ? ['root'] : []
    const good = this.signed?.sequence ?? 0
    if (differs.length === 0) {
      this.signed = checkpoint
      if (where === 'outside checkpoint') this.outside = checkpoint
    } else if (this.#disagreements.at(-1)?.sequence !== good + 1) {
      const name = where === 'checkpoints' ? 'signed' : 'outside'
      const message = `The ${name} checkpoint at ${sequence} says ${differs[0] === 'link' ? link : root}: the chain was made anew.`
      this.#disagreements.push({ kind: 'changed', where: 'chain', ...this.#from(good + 1, sequence), differs, message })
    }
  }

  /** Compares what the database has for a place with what lies outside. */
  stored(value: unknown, sequence: number, outside: Checkpoint | undefined, keys: readonly KeyObject[]): void {
    const fault = faultOfCheckpoint(value, keys)
    if (outside !== undefined && (fault !== undefined || canonicalize(value) !== canonicalize(outside))) {
      this.#report('changed', { sequence }, fault ?? 'It differs from the one that lies outside.')
    } else if (fault !== undefined) this.#report('changed', { sequence }, fault)
    if (fault === undefined && matches('checkpoint', value)) {
      this.#follows(value)
      if (outside === undefined) this.compare(value, 'checkpoints')
    }
    this.#reached = sequence
  }

  /** Tells of an outside checkpoint that the database lacks. */
  missing(checkpoint: Checkpoint): void {
    if (this.#inPart) return
    const place = { sequence: checkpoint.sequence }
    this.#report('removed', place, 'It lies outside, and the database does not have it.')
    this.#reached = checkpoint.sequence
  }

  /** Reports what only the end of the chain decides. */
  end(): void {
    for (const one of this.#disagreements) {
      const { sequence = 0, through = sequence } = one
      // What an entry itself gives away is told with that entry.
      if (!this.#walk.troubled(sequence, through)) this.#problems.add(one)
    }
    const sequence = this.#furthest
    const last = this.#walk.last.sequence
    if (sequence <= last) return
    const message = `The chain ends at ${last}; a signed checkpoint says that it had ${sequence} entries.`
    this.#problems.add({ kind: 'removed', where: 'chain', ...this.#from(last + 1, sequence), differs: [], message })
  }

  #follows({ from, sequence }: Checkpoint): void {
    if (this.#inPart || from === this.#reached + 1) return
    const message = `The checkpoint at ${sequence} begins at ${from}; the one before it is not there.`
    this.#report('removed', this.#from(this.#reached + 1, Math.max(from - 1, this.#reached + 1)), message)
  }

  #from(sequence: number, through: number): Pick<AuditProblem, 'tenant' | 'sequence' | 'through'> {
    return { tenant: this.#tenant, sequence, ...(through > sequence ? { through } : {}) }
  }

  #report(kind: AuditProblem['kind'], place: Pick<AuditProblem, 'sequence' | 'through'>, message: string): void {
    this.#problems.add({ kind, where: 'checkpoints', tenant: this.#tenant, ...place, differs: [], message })
  }
}

function sequenceOf(value: unknown): number {
  const sequence: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'sequence') : undefined
  return typeof sequence === 'number' ? sequence : 0
}

/** Walks a chain beside its checkpoints. Those that lie outside win. */
export async function walkChain(
  sources: ChainSources,
  problems: AuditProblems,
  progress: () => void,
): Promise<ChainSummary> {
  const { tenant, entries, stored, outside, keys } = sources
  const walk = new ChainWalk(tenant, problems)
  const checkpoints = new CheckpointWalk(walk, sources, problems)
  const kept = stored?.[Symbol.asyncIterator]()
  let next = await kept?.next()
  let at = 0
  /** Takes every checkpoint up to a place, in order. */
  const settle = async (upTo: number) => {
    for (;;) {
      const lies = outside[at]
      const there = next === undefined || next.done === true ? undefined : { value: next.value }
      const sequence = Math.min(lies?.sequence ?? Infinity, there === undefined ? Infinity : sequenceOf(there.value))
      if (sequence > upTo || sequence === Infinity) return
      const given = lies?.sequence === sequence ? lies : undefined
      const has = there !== undefined && sequenceOf(there.value) === sequence ? there : undefined
      if (given !== undefined) {
        checkpoints.compare(given, 'outside checkpoint')
        at += 1
      }
      if (has !== undefined) {
        checkpoints.stored(has.value, sequence, given, keys)
        next = await kept?.next()
      } else if (given !== undefined && kept !== undefined) checkpoints.missing(given)
    }
  }
  try {
    for await (const entry of entries) {
      await settle(entry.sequence - 1)
      walk.entry(entry)
      await settle(entry.sequence)
      progress()
    }
    await settle(Infinity)
    walk.end()
    checkpoints.end()
  } finally {
    await kept?.return?.()
  }
  return summaryOf(walk, checkpoints)
}

function summaryOf({ entries, last }: ChainWalk, { outside, signed }: CheckpointWalk): ChainSummary {
  const mark = (one: Checkpoint) => ({ sequence: one.sequence, at: one.at })
  return {
    entries,
    ...(entries === 0 ? {} : { head: last.link }),
    ...(outside === undefined ? {} : { outside: mark(outside) }),
    ...(signed === undefined ? {} : { signed: mark(signed) }),
  }
}
