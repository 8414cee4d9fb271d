import type { ListPosition } from '../audit/list-position.ts'
import type { StoreReader, VerdictFilter, VerdictSummary } from '../audit/store.ts'
import type { Verdict } from '../documents/verdict.ts'
import { ImagegateError } from '../errors.ts'
import { recordedPolicy } from './replay.ts'
import { DocumentSections, type RuleState, type TimelineRecord, timelineRecord } from './timeline-record.ts'

/**
 * Why a verdict may differ from the one before: other facts or options; another policy, because the set of policies or
 * the choice among them changed (policy) or because only time went by (clock); another evaluator.
 */
export type Cause = 'facts' | 'options' | 'policy' | 'clock' | 'evaluator'

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
  /** Entries, 1 to 499. */
  readonly limit: number
  readonly position?: ListPosition | undefined
}

type Reading = Pick<StoreReader, 'list' | 'records' | 'policyBody'>

/** One page of what was said of an image. Rejects with INTERNAL for a record that is no verdict. */
export async function timeline(store: Reading, request: TimelineRequest): Promise<TimelinePage> {
  const { tenant, limit, position } = request
  const listed = await listUpTo(store, request, limit + 1)
  const stored = await store.records(
    tenant,
    listed.map(({ id }) => id),
  )
  const found = new Map(stored.map((record) => [record.id, timelineRecord(record)]))
  const documents = new DocumentSections()
  const entries: TimelineEntry[] = []
  for (const [index, verdict] of listed.slice(0, limit).entries()) {
    const older = found.get(listed[index + 1]?.id ?? '')
    const record = found.get(verdict.id)
    const known = record !== undefined && older !== undefined
    entries.push(known ? { verdict, change: await changeOf(store, documents, older, record) } : { verdict })
  }
  const [first, last] = [listed[0], listed[limit - 1]]
  if (listed.length <= limit || first === undefined || last === undefined) return { entries }
  return { entries, next: { upTo: position?.upTo ?? first.id, before: last.id } }
}

/**
 * The first verdicts after the request's position, one more than is shown, because the last is compared with it. A page of
 * a list may end early.
 */
async function listUpTo(store: Reading, { tenant, filter, position }: TimelineRequest, number: number) {
  const listed: VerdictSummary[] = []
  let at = position
  do {
    const { verdicts, next } = await store.list(tenant, filter, number - listed.length, at)
    listed.push(...verdicts)
    at = next
  } while (at !== undefined && listed.length < number)
  return listed
}

async function changeOf(
  store: Reading,
  documents: DocumentSections,
  older: TimelineRecord,
  newer: TimelineRecord,
): Promise<Change> {
  const [from, to] = [older.verdict, newer.verdict]
  const causes = await causesOf(store, older, newer)
  const sections = causes.includes('facts') ? documents.differing(older, newer) : undefined
  return {
    since: older.id,
    causes,
    ...(sections !== undefined && { sections }),
    ...(from.outcome !== to.outcome && { outcome: { from: from.outcome, to: to.outcome } }),
    findings: findingsOf(older.rules, newer.rules),
  }
}

async function causesOf(store: Reading, older: TimelineRecord, newer: TimelineRecord): Promise<readonly Cause[]> {
  const [from, to] = [older.verdict, newer.verdict]
  const facts = from.factsDigest !== to.factsDigest
  const options = older.options !== newer.options
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
async function causeOfPolicy(
  store: Reading,
  from: TimelineRecord['verdict'],
  to: TimelineRecord['verdict'],
): Promise<Cause> {
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

type Rules = TimelineRecord['rules']

function findingsOf(before: Rules, after: Rules): Change['findings'] {
  return [...new Set([...after.keys(), ...before.keys()])].flatMap((rule) => {
    const [from, to] = [before.get(rule), after.get(rule)]
    if (from?.result === to?.result && from?.effect === to?.effect) return []
    return [{ rule, from: from ?? 'absent', to: to ?? 'absent' }]
  })
}
