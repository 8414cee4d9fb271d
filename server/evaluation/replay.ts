import type { StoreReader } from '../audit/store.ts'
import { sha256 } from '../digest.ts'
import type { Finding, Verdict } from '../documents/verdict.ts'
import { ImagegateError } from '../errors.ts'
import { type ParsedFacts, parseFacts } from '../facts/parse.ts'
import { readPolicy } from '../policy/load.ts'
import { compilePolicy } from '../policy/program.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import { matches } from '../schemas.ts'
import { firstDifference } from './difference.ts'
import { evaluate } from './evaluate.ts'
import { evaluator, judgeSelected } from './judge.ts'

/** The answer of a replay: never an error for what the record itself holds. */
export interface Replay {
  readonly id: string
  readonly result: 'same' | 'different' | 'facts_expired'
  readonly evaluator: { readonly recorded: number; readonly current: number }
  /** Pointer of the first member of the verdict that differs. */
  readonly firstDifference?: string
  /** Why no comparison by member was possible. */
  readonly reason?: string
}

interface Evidenced {
  readonly id: string
  /** Evaluator that made this evidence; it is computed anew and is no part of the record. */
  readonly evaluator: number
  readonly findings: readonly Finding[]
}

async function recordedVerdict(
  store: StoreReader,
  tenant: string,
  id: string,
): Promise<{ verdict: Verdict; intact: boolean }> {
  const stored = await store.verdict(tenant, id)
  if (stored === undefined) throw new ImagegateError('VERDICT_NOT_FOUND', `There is no verdict ${id}.`)
  const verdict: unknown = JSON.parse(stored.body)
  if (!matches('verdict', verdict)) throw new ImagegateError('INTERNAL', `The record of ${id} is not a verdict.`)
  return { verdict, intact: sha256(stored.body) === stored.recordDigest }
}

async function recordedFacts(store: StoreReader, tenant: string, verdict: Verdict): Promise<ParsedFacts | 'expired'> {
  const document = await store.document(tenant, verdict.documentDigest)
  if (document === undefined) throw new ImagegateError('INTERNAL', 'The record lacks its fact document.')
  return document === 'expired' ? 'expired' : parseFacts(Buffer.from(document))
}

const recent = new Map<string, ReleasedPolicy>()

/** A policy from the record alone, so that replay needs no file. A few are kept: an auditor replays many verdicts of one policy. */
export async function recordedPolicy(
  store: Pick<StoreReader, 'policyBody'>,
  used: { digest: string; family: string; version: string },
): Promise<ReleasedPolicy> {
  const known = recent.get(used.digest)
  if (known !== undefined) return known
  const text = await store.policyBody(used.digest)
  const policy = text === undefined ? undefined : readPolicy(text, `${used.family}/${used.version}.yaml`).policy
  if (policy === undefined)
    throw new ImagegateError('POLICY_INVALID', `This evaluator cannot read policy ${used.digest}.`)
  const oldest = recent.keys().next()
  if (recent.size >= 32 && !oldest.done) recent.delete(oldest.value)
  recent.set(used.digest, policy)
  return policy
}

async function judgeAgain(store: StoreReader, verdict: Verdict, facts: ParsedFacts): Promise<Verdict> {
  const alternatives = new Map<string, ReleasedPolicy>()
  for (const { importAs, policy } of verdict.alternatives)
    alternatives.set(importAs, await recordedPolicy(store, policy))
  return judgeSelected(facts, {
    policy: await recordedPolicy(store, verdict.policy),
    selectedBy: verdict.policy.selectedBy,
    asOf: verdict.asOf,
    options: verdict.options,
    alternative: (importAs) => alternatives.get(importAs),
  }).verdict
}

/** Evaluates a recorded verdict again from the record alone and compares every member. Throws VERDICT_NOT_FOUND. */
export async function replay(store: StoreReader, tenant: string, id: string): Promise<Replay> {
  const { verdict, intact } = await recordedVerdict(store, tenant, id)
  const head = { id, evaluator: { recorded: verdict.evaluator, current: evaluator } }
  if (!intact)
    return { ...head, result: 'different', firstDifference: '', reason: 'The record does not have its digest.' }
  const facts = await recordedFacts(store, tenant, verdict)
  if (facts === 'expired') return { ...head, result: 'facts_expired' }
  try {
    const { id: _id, tenant: _tenant, recordedAt: _recordedAt, submittedBy: _submittedBy, ...judged } = verdict
    const again = await judgeAgain(store, verdict, facts)
    const difference = firstDifference(judged, { ...again, evaluator: verdict.evaluator })
    return difference === undefined
      ? { ...head, result: 'same' }
      : { ...head, result: 'different', firstDifference: difference }
  } catch (error) {
    if (!(error instanceof ImagegateError) || error.code === 'STORE_UNAVAILABLE') throw error
    return { ...head, result: 'different', reason: error.message }
  }
}

/** Every rule's finding with its evidence, passes too, computed anew from the record. Throws VERDICT_NOT_FOUND or FACTS_EXPIRED. */
export async function evidence(store: StoreReader, tenant: string, id: string): Promise<Evidenced> {
  const { verdict } = await recordedVerdict(store, tenant, id)
  const facts = await recordedFacts(store, tenant, verdict)
  if (facts === 'expired') throw new ImagegateError('FACTS_EXPIRED', `The facts of ${id} were removed by retention.`)
  const { policy } = await recordedPolicy(store, verdict.policy)
  const findings = evaluate(compilePolicy(policy), facts.document, verdict.options, true).map(({ finding }) => finding)
  return { id, evaluator, findings }
}
