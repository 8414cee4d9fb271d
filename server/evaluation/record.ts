import { newIdentity, type VerdictIdentity } from '../audit/identity.ts'
import type { PolicyBody, RecordedVerdict, ShadowRecord, Store } from '../audit/store.ts'
import { canonicalize, sha256 } from '../digest.ts'
import type { Verdict } from '../documents/verdict.ts'
import { ImagegateError } from '../errors.ts'
import type { ParsedFacts } from '../facts/parse.ts'
import type { PolicySet, ReleasedPolicy } from '../policy/set.ts'
import { judge } from './judge.ts'
import type { GivenOptions } from './options.ts'
import { shadowOf } from './shadow.ts'

/** What recording needs of a store. */
export type Recording = Pick<Store, 'idempotent' | 'record'>

/** What evaluating and recording needs from outside. */
export interface Recorder {
  readonly policies: PolicySet
  readonly store: Recording
  /** Evaluated in shadow beside the policy of its family. */
  readonly candidate?: ReleasedPolicy | undefined
  /** Told of an error in the shadow, which leaves the verdict alone. */
  shadowFailed?(error: unknown): void
  now(): Date
}

/** Who asked for a verdict, and by which request. */
export type SubmittedBy = NonNullable<Verdict['submittedBy']>

/** One evaluation that is to be recorded. */
export interface RecordRequest {
  readonly tenant: string
  /** Who asked, and by which request; kept in the verdict. */
  readonly submittedBy: SubmittedBy
  readonly facts: ParsedFacts
  readonly given: GivenOptions
  /** 1 to 255 visible ASCII characters. */
  readonly idempotencyKey?: string
}

/** A durable verdict, exactly as stored. */
export interface Recorded {
  readonly id: string
  /** Canonical form of the verdict. */
  readonly body: string
  /** SHA-256 of body. */
  readonly recordDigest: string
  /** True when an earlier request with the same idempotency key made it. */
  readonly replayed: boolean
  /** The verdict itself; absent when it was replayed. */
  readonly verdict?: RecordedVerdict
}

/** The verdict with its identity, members in canonical order. */
function identified(
  verdict: Verdict,
  { tenant, submittedBy }: RecordRequest,
  { id, recordedAt }: VerdictIdentity,
): RecordedVerdict {
  const { alternatives, asOf, counts, documentDigest, evaluator, factsDigest, findings, importParameters } = verdict
  const { missing, options, outcome, policy, remediationOrder, schema, subject } = verdict
  return {
    alternatives,
    asOf,
    counts,
    documentDigest,
    evaluator,
    factsDigest,
    findings,
    id,
    importParameters,
    missing,
    options,
    outcome,
    policy,
    recordedAt,
    remediationOrder,
    schema,
    subject,
    submittedBy,
    tenant,
  }
}

function bodyOf({ digest, family, version, text }: ReleasedPolicy): PolicyBody {
  return { digest, family, version, body: text }
}

/** A candidate is there to be tried: whatever goes wrong with it must not touch the verdict. */
function shadowBeside(recorder: Recorder, facts: ParsedFacts, verdict: Verdict): ShadowRecord | undefined {
  if (recorder.candidate === undefined) return undefined
  try {
    const shadow = shadowOf(recorder.candidate, facts, verdict)
    return shadow && { ...shadow, candidate: bodyOf(shadow.candidate) }
  } catch (error) {
    recorder.shadowFailed?.(error)
    return undefined
  }
}

function reused(): ImagegateError {
  return new ImagegateError('IDEMPOTENCY_KEY_REUSED', 'The key stands for another document or other options.')
}

/** What makes two requests equal under one key: the document and the options as given, not as resolved. */
function fingerprintOf({ facts, given }: RecordRequest): string {
  return sha256(canonicalize({ document: facts.documentDigest, options: given }))
}

function replayedFrom(found: { id: string; body: string }): Recorded {
  return { id: found.id, body: found.body, recordDigest: sha256(found.body), replayed: true }
}

/**
 * Evaluates and resolves once the verdict is durable (invariant 2). Under an idempotency key the first verdict is the
 * answer to every equal request. Throws what judge throws, IDEMPOTENCY_KEY_REUSED, STORE_UNAVAILABLE or OVERLOADED.
 */
export async function evaluateAndRecord(recorder: Recorder, request: RecordRequest): Promise<Recorded> {
  const { tenant, facts, given, idempotencyKey: key } = request
  const fingerprint = key === undefined ? '' : fingerprintOf(request)
  if (key !== undefined) {
    // Looked up before judging: the first verdict stands even when its policy has since been withdrawn.
    const known = await recorder.store.idempotent(tenant, key)
    if (known !== undefined && known.fingerprint !== fingerprint) throw reused()
    if (known !== undefined) return replayedFrom(known)
  }
  const now = recorder.now()
  const judgement = judge(recorder.policies, facts, given, now)
  const verdict = identified(judgement.verdict, request, newIdentity(now))
  const body = JSON.stringify(verdict)
  const recordDigest = sha256(body)
  const shadow = shadowBeside(recorder, facts, judgement.verdict)
  const result = await recorder.store.record({
    verdict,
    body,
    recordDigest,
    document: facts.canonical,
    policies: judgement.policies.map(bodyOf),
    ...(shadow === undefined ? {} : { shadow }),
    ...(key === undefined ? {} : { idempotency: { key, fingerprint } }),
  })
  if (result.kind === 'conflict') throw reused()
  if (result.kind === 'replayed') return replayedFrom(result)
  return { id: verdict.id, body, recordDigest, replayed: false, verdict }
}
