import type { ListPosition } from '../audit/list-position.ts'
import type { StoredRecord, StoreReader, VerdictFilter, VerdictSummary } from '../audit/store.ts'
import { canonicalize } from '../digest.ts'
import type { Finding, Verdict } from '../documents/verdict.ts'
import { ImagegateError } from '../errors.ts'
import { matches } from '../schemas.ts'
import { recordedPolicy } from './replay.ts'

/**
 * Why a verdict may differ from the one before: other facts or options; another policy, because the set of policies or
 * the choice among them changed (policy) or because only time went by (clock); another evaluator.
 */
export type Cause = 'facts' | 'options' | 'policy' | 'clock' | 'evaluator'

/** A rule's result and effect in a verdict; 'absent' where its policy does not have the rule. */
export type RuleState = Pick<Finding, 'result' | 'effect'> | 'absent'

/** What changed since the verdict before. */
export interface Change {
  /** Id of the verdict before. */
  readonly since: string
  /** Empty when nothing of what decides differs. */
  readonly causes: readonly Cause[]
  /** Sections of the fact document that differ; absent when they do not, or when retention removed one of the documents. */
  readonly sections?: readonly string[]
  readonly outcome?: { readonly from: string; readonly to: string }
  /** Rules whose result or effect differs, in policy order. */
  readonly findings: readonly { readonly rule: string; readonly from: RuleState; readonly to: RuleState }[]
}

/** A verdict of an image, and what changed since the one before; the oldest has no change. */
export interface TimelineEntry {
  readonly verdict: VerdictSummary
  readonly change?: Change
}

/** One page, newest first; `next` is absent on the last. */
export interface TimelinePage {
  readonly entries: readonly TimelineEntry[]
  readonly next?: ListPosition
}

/** Whose timeline is asked for, and which part of it. */
export interface TimelineRequest {
  readonly tenant: string
  /** The image: its name, its digest or both. */
  readonly filter: Pick<VerdictFilter, 'imageName' | 'imageDigest'>
  /** Entries of a page, 1 to 100. */
  readonly limit: number
  readonly position?: ListPosition | undefined
}

type Reading = Pick<StoreReader, 'list' | 'records' | 'policyBody'>

/** One page of what was said of an image. Rejects with INTERNAL for a record that is no verdict. */
export async function timeline(store: Reading, request: TimelineRequest): Promise<TimelinePage> {
  const { tenant, filter, limit, position } = request
  const { verdicts, next } = await store.list(tenant, filter, limit, position)
  const before = next === undefined ? [] : (await store.list(tenant, filter, 1, next)).verdicts
  const records = await store.records(
    tenant,
    [...verdicts, ...before].map(({ id }) => id),
  )
  const found = new Map(records.map((record) => [record.id, { ...record, verdict: verdictOf(record) }]))
  const entries: TimelineEntry[] = []
  for (const [index, verdict] of verdicts.entries()) {
    const older = found.get((verdicts[index + 1] ?? before[0])?.id ?? '')
    const record = found.get(verdict.id)
    const known = record !== undefined && older !== undefined
    entries.push(known ? { verdict, change: await changeOf(store, older, record) } : { verdict })
  }
  return { entries, ...(next !== undefined && { next }) }
}

/** A record whose body was read once, although it is compared with the one before and with the one after. */
interface ReadRecord extends StoredRecord {
  readonly verdict: Verdict
}

function verdictOf({ id, body }: StoredRecord): Verdict {
  const verdict: unknown = JSON.parse(body)
  if (!matches('verdict', verdict)) throw new ImagegateError('INTERNAL', `The record of ${id} is not a verdict.`)
  return verdict
}

async function changeOf(store: Reading, older: ReadRecord, newer: ReadRecord): Promise<Change> {
  const [from, to] = [older.verdict, newer.verdict]
  const causes = await causesOf(store, from, to)
  const sections = causes.includes('facts') ? sectionsOf(older, newer) : undefined
  return {
    since: older.id,
    causes,
    ...(sections !== undefined && { sections }),
    ...(from.outcome !== to.outcome && { outcome: { from: from.outcome, to: to.outcome } }),
    findings: findingsOf(from, to),
  }
}

async function causesOf(store: Reading, from: Verdict, to: Verdict): Promise<readonly Cause[]> {
  const facts = from.factsDigest !== to.factsDigest
  const options = canonicalize(from.options) !== canonicalize(to.options)
  const policy = from.policy.digest === to.policy.digest ? undefined : await causeOfPolicy(store, from, to)
  // Facts and options choose the family; that it has another policy follows from them.
  const follows = from.policy.family !== to.policy.family && (facts || options)
  return [
    ...(facts ? (['facts'] as const) : []),
    ...(options ? (['options'] as const) : []),
    ...(policy === undefined || follows ? [] : [policy]),
    ...(from.evaluator === to.evaluator ? [] : (['evaluator'] as const)),
  ]
}

/** The clock alone, when both were chosen by time and the later policy came into force between the two times. */
async function causeOfPolicy(store: Reading, from: Verdict, to: Verdict): Promise<Cause> {
  const byTime = from.policy.selectedBy !== 'pin' && to.policy.selectedBy !== 'pin'
  if (!byTime || from.policy.family !== to.policy.family) return 'policy'
  const [earlier, later] = Date.parse(from.asOf) <= Date.parse(to.asOf) ? [from, to] : [to, from]
  const began = await effectiveFrom(store, later.policy)
  const between = began !== undefined && began > Date.parse(earlier.asOf) && began <= Date.parse(later.asOf)
  return between ? 'clock' : 'policy'
}

/** Milliseconds since 1970; undefined when this program cannot read the recorded policy. */
async function effectiveFrom(store: Reading, policy: Verdict['policy']): Promise<number | undefined> {
  try {
    return Date.parse((await recordedPolicy(store, policy)).effectiveFrom)
  } catch (error) {
    if (error instanceof ImagegateError && error.code === 'POLICY_INVALID') return undefined
    throw error
  }
}

const besideSections = ['schema', 'collection']

function sectionsOf(older: StoredRecord, newer: StoredRecord): readonly string[] | undefined {
  const [from, to] = [older, newer].map(({ document }) => {
    const parsed: unknown = document === undefined || document === 'expired' ? undefined : JSON.parse(document)
    return typeof parsed === 'object' && parsed !== null ? new Map(Object.entries(parsed)) : undefined
  })
  if (from === undefined || to === undefined) return undefined
  const differs = (name: string) => JSON.stringify(from.get(name)) !== JSON.stringify(to.get(name))
  const names = [...new Set([...from.keys(), ...to.keys()])].filter((name) => !besideSections.includes(name))
  return names.filter(differs).sort()
}

function findingsOf(from: Verdict, to: Verdict): Change['findings'] {
  const states = ({ findings }: Verdict) =>
    new Map(findings.map(({ rule, result, effect }): [string, RuleState] => [rule, { result, effect }]))
  const [before, after] = [states(from), states(to)]
  return [...new Set([...after.keys(), ...before.keys()])].flatMap((rule) => {
    const [one, other] = [before.get(rule) ?? 'absent', after.get(rule) ?? 'absent']
    return JSON.stringify(one) === JSON.stringify(other) ? [] : [{ rule, from: one, to: other }]
  })
}
