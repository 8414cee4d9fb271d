import type { FactDocument } from '../documents/facts.ts'
import type { Policy } from '../documents/policy.ts'
import type { NotReplayed } from '../documents/policy-impact.ts'
import type { Options } from '../documents/verdict.ts'
import { ImagegateError, type Problem } from '../errors.ts'
import { evaluateResults } from '../evaluation/evaluate.ts'
import { familyOf } from '../evaluation/family.ts'
import { resolveOptions } from '../evaluation/options.ts'
import { outcomeOf, subjectOf } from '../evaluation/summarize.ts'
import { type ParsedFacts, parseFacts } from '../facts/parse.ts'
import { isObject } from '../facts/pointer.ts'
import { compilePolicy, type Program } from '../policy/program.ts'
import { matches, problemsOf } from '../schemas.ts'
import { type Judged, movesBetween } from './impact-compare.ts'
import type { ImpactItem, ItemResult, LineItem, ListedItem, RecordItem } from './impact-item.ts'
import { type RecordedJudgement, recordedJudgement } from './impact-recorded.ts'

/** What lines of an export must fit; a database and a server select by themselves. Times are RFC 3339, UTC. */
export interface LineSelection {
  readonly tenant?: string
  readonly from?: string
  readonly to?: string
}

/** What a replay depends on; plain data, so that it can be handed to another thread. */
export interface ReplaySetup {
  readonly candidate: Policy
  /** What fact documents without a verdict are judged by before. */
  readonly baseline?: Policy
  readonly selection: LineSelection
}

type Example = NotReplayed['example']

/** Results that are kept, because images are judged again and again. */
const kept = 4096

function told({ pointer, message }: Problem): string {
  return pointer === undefined || pointer === '' ? message : `${pointer}: ${message}`
}

function notReplayed(reason: NotReplayed['reason'], example: Example, detail?: string): ItemResult {
  const shown = detail === undefined || detail === '' ? {} : { detail: detail.slice(0, 1024).toWellFormed() }
  return { kind: 'not_replayed', reason, example: { ...example, ...shown } }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function outside({ tenant, recordedAt }: RecordedJudgement, { tenant: wanted, from, to }: LineSelection): boolean {
  if (wanted !== undefined && tenant !== wanted) return true
  const time = Date.parse(recordedAt)
  return (from !== undefined && !(time >= Date.parse(from))) || (to !== undefined && !(time < Date.parse(to)))
}

function reasonOf(error: unknown): string {
  if (!(error instanceof ImagegateError)) throw error
  const [first] = error.problems
  return first === undefined ? error.message : told(first)
}

/** Evaluates items under a candidate. Facts that are equal, with equal options, are evaluated once. */
export class Replayer {
  readonly #setup: ReplaySetup
  readonly #candidate: Program
  readonly #recent = new Map<string, Judged>()

  constructor(setup: ReplaySetup) {
    this.#setup = setup
    this.#candidate = compilePolicy(setup.candidate)
  }

  /** Never throws for what an item holds. */
  replay(item: Exclude<ImpactItem, ListedItem>): ItemResult {
    if (item.kind === 'record') return this.#record(item)
    const { line } = item
    return item.kind === 'broken' ? notReplayed('line_unreadable', { line }, item.detail) : this.#line(item)
  }

  #record({ id, body, document }: RecordItem): ItemResult {
    const example = { verdict: id }
    const recorded = recordedJudgement(parseJson(body))
    if (recorded === undefined) return notReplayed('record_unreadable', example)
    if (document === undefined) return notReplayed('facts_missing', example)
    if (document === 'expired') return notReplayed('facts_expired', example)
    const known = this.#recent.get(keyOf(recorded.factsDigest, recorded.options))
    if (known !== undefined) return this.#compared(recorded, known, example)
    const facts = parseJson(document)
    // What was recorded was inspected when it came; only the schema may have changed since.
    if (!matches('facts', facts)) return notReplayed('facts_invalid', example, firstProblem(facts))
    return this.#compared(recorded, this.#judged(facts, recorded.factsDigest, recorded.options), example)
  }

  #line({ line, bytes }: LineItem): ItemResult {
    const value = parseJson(Buffer.from(bytes).toString('utf8'))
    if (!isObject(value)) return notReplayed('line_unreadable', { line }, 'It is no JSON object.')
    return 'verdict' in value ? this.#exported(value, line) : this.#bare(bytes, line)
  }

  #exported({ verdict, facts }: Readonly<Record<string, unknown>>, line: number): ItemResult {
    const recorded = recordedJudgement(verdict)
    if (recorded === undefined) return notReplayed('record_unreadable', { line }, 'Its verdict is not one.')
    const { selection, candidate } = this.#setup
    if (recorded.policy.family !== candidate.family || outside(recorded, selection)) return { kind: 'skipped' }
    const example = { verdict: recorded.id, line }
    if (facts === undefined || facts === null) return notReplayed('facts_expired', example)
    try {
      const parsed = parseFacts(Buffer.from(JSON.stringify(facts)))
      if (parsed.documentDigest !== recorded.documentDigest) return notReplayed('facts_differ', example)
      return this.#compared(recorded, this.#judged(parsed.document, parsed.factsDigest, recorded.options), example)
    } catch (error) {
      return notReplayed('facts_invalid', example, reasonOf(error))
    }
  }

  #bare(bytes: Uint8Array, line: number): ItemResult {
    const { baseline, candidate, selection } = this.#setup
    if (Object.keys(selection).length > 0) {
      const detail = `Line ${line} is a fact document without a verdict: it has no time and no tenant to select by.`
      return { kind: 'refused', detail }
    }
    let facts: ParsedFacts
    try {
      facts = parseFacts(bytes)
    } catch (error) {
      return notReplayed('facts_invalid', { line }, reasonOf(error))
    }
    const options = resolveOptions({})
    if (familyOf(facts.document, options) !== candidate.family) return { kind: 'skipped' }
    if (baseline === undefined) {
      const detail = `Line ${line} is a fact document without a verdict: a baseline must say what it was before.`
      return { kind: 'refused', detail }
    }
    const before = judgedBy(compilePolicy(baseline), facts.document, options)
    const after = this.#judged(facts.document, facts.factsDigest, options)
    const { imageName, imageDigest } = subjectOf(facts.document)
    const subject = { ...(imageName && { imageName }), ...(imageDigest && { imageDigest }) }
    return result(before, after, { line, ...subject, version: baseline.version })
  }

  #compared(recorded: RecordedJudgement, after: Judged, example: Example): ItemResult {
    const { id, recordedAt, subject, policy, outcome, findings } = recorded
    const { imageName, imageDigest } = subject
    return result({ outcome, results: findings }, after, {
      ...example,
      verdict: id,
      recordedAt,
      ...(imageName && { imageName }),
      ...(imageDigest && { imageDigest }),
      version: policy.version,
    })
  }

  #judged(facts: FactDocument, factsDigest: string, options: Options): Judged {
    const key = keyOf(factsDigest, options)
    const known = this.#recent.get(key)
    if (known !== undefined) return known
    const judged = judgedBy(this.#candidate, facts, options)
    const oldest = this.#recent.keys().next()
    if (this.#recent.size >= kept && !oldest.done) this.#recent.delete(oldest.value)
    this.#recent.set(key, judged)
    return judged
  }
}

function keyOf(factsDigest: string, { importAs, systemDisk }: Options): string {
  return `${factsDigest} ${importAs} ${systemDisk.requested} ${systemDisk.sizeBytes}`
}

function judgedBy(program: Program, facts: FactDocument, options: Options): Judged {
  const results = evaluateResults(program, facts, options)
  return { results, outcome: outcomeOf(results) }
}

function firstProblem(facts: unknown): string {
  const [first] = problemsOf('facts', facts)
  return first === undefined ? 'It is no JSON.' : told(first)
}

type Subject = Omit<NonNullable<Extract<ItemResult, { kind: 'replayed' }>['changed']>, 'from' | 'to' | 'rules'>

function result(before: Judged, after: Judged, subject: Subject): ItemResult {
  const moves = movesBetween(before, after)
  const head = { kind: 'replayed', version: subject.version, from: before.outcome, to: after.outcome, moves } as const
  if (head.from === head.to) return head
  const rules = moves.filter(({ decisive }) => decisive).map(({ rule }) => rule)
  return { ...head, changed: { ...subject, from: head.from, to: head.to, rules } }
}
