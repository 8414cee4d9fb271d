import { ImagegateError } from '../errors.ts'
import type { ShadowSide } from '../evaluation/shadow.ts'
import { maxSkew, recordedText, timeOfId } from './identity.ts'
import { searchText } from './image-text.ts'
import type { PolicyBody, ShadowRecord, VerdictRecord } from './store.ts'
import type { FindingKindRow, FindingRow, VerdictRow } from './tables.ts'
import { tallyOf } from './tally.ts'

/** One record, flat: what a driver inserts, and what is cheap to hand to another thread. */
export interface RecordRows {
  readonly verdict: VerdictRow
  readonly findings: readonly FindingRow[]
  readonly kinds: readonly FindingKindRow[]
  /** The image's name as text in it is searched for; absent when it is too short for that. */
  readonly imageText?: string
  /** Pointers of missing facts. */
  readonly missing: readonly string[]
  /** What it adds to the statistics. */
  readonly tally: string
  /** Canonical form of the fact document. */
  readonly document: string
  /** The policies that the database may not have yet. */
  readonly policies: readonly PolicyBody[]
  /** A candidate's evaluation: its digest and outcome, results by rule, and the differences as JSON. */
  readonly shadow?: {
    readonly candidate: string
    readonly to: string
    readonly differences: readonly { readonly rule: string; readonly from: string; readonly to: string }[]
    readonly json: string
  }
  readonly idempotency?: { readonly key: string; readonly fingerprint: string }
}

/** The rows of a record. Throws INTERNAL when its recordedAt is too far from the time in its id, or written otherwise. */
export function toRows(record: VerdictRecord): RecordRows {
  const { id, tenant, recordedAt, findings, missing } = record.verdict
  const time = Date.parse(recordedAt)
  if (!(Math.abs(time - timeOfId(id)) <= maxSkew) || recordedText(time) !== recordedAt) {
    throw new ImagegateError('INTERNAL', `recordedAt of verdict ${id} is not the time of its id, in milliseconds.`)
  }
  const notPassed = findings.flatMap(({ rule, result, severity, effect }) =>
    result === 'fail' || result === 'unknown' ? [{ tenant, rule, result, verdict_id: id, severity, effect }] : [],
  )
  const imageText = searchText(record.verdict.subject.imageName ?? '')
  return {
    verdict: verdictRow(record),
    findings: notPassed,
    kinds: kindRows(notPassed),
    ...(imageText !== undefined && { imageText }),
    missing: missing.map((fact) => fact.pointer),
    tally: tallyOf(record.verdict),
    document: record.document,
    policies: record.shadow === undefined ? record.policies : [...record.policies, record.shadow.candidate],
    ...(record.shadow && { shadow: shadowRows(record.shadow) }),
    ...(record.idempotency && { idempotency: record.idempotency }),
  }
}

function kindRows(findings: readonly FindingRow[]): readonly FindingKindRow[] {
  const rows = findings.flatMap(({ tenant, verdict_id, severity, effect }) =>
    [
      { severity, effect },
      { severity, effect: '' },
      { severity: '', effect },
    ].map((kind) => [`${kind.severity} ${kind.effect}`, { tenant, ...kind, verdict_id }] as const),
  )
  return [...new Map(rows).values()]
}

function shadowRows({ candidate, outcome, differences }: ShadowRecord): NonNullable<RecordRows['shadow']> {
  const resultOf = (side: ShadowSide) => (side === 'absent' ? side : side.result)
  return {
    candidate: candidate.digest,
    to: outcome,
    differences: differences.map(({ rule, from, to }) => ({ rule, from: resultOf(from), to: resultOf(to) })),
    json: JSON.stringify(differences),
  }
}

function verdictRow({ verdict, body, recordDigest }: VerdictRecord): VerdictRow {
  const { subject, policy, submittedBy } = verdict
  return {
    tenant: verdict.tenant,
    id: verdict.id,
    recorded_at: verdict.recordedAt,
    outcome: verdict.outcome,
    family: policy.family,
    policy_version: policy.version,
    policy_digest: policy.digest,
    os_type: subject.osType ?? null,
    os_id: subject.osId ?? null,
    os_version: subject.osVersion ?? null,
    image_name: subject.imageName ?? null,
    image_digest: subject.imageDigest ?? null,
    facts_digest: verdict.factsDigest,
    document_digest: verdict.documentDigest,
    record_digest: recordDigest,
    body,
    caller: submittedBy?.caller ?? null,
    request_id: submittedBy?.requestId ?? null,
  }
}

/** About how many bytes of text a record brings. */
export function bytesOf({ verdict, document, policies }: RecordRows): number {
  return policies.reduce((sum, { body }) => sum + body.length, verdict.body.length + document.length)
}
