import type { Verdict } from '../documents/verdict.ts'
import type { ShadowDifference } from '../evaluation/shadow.ts'
import type { ApiKeyChange, ApiKeyReader } from './api-keys.ts'
import type { ChainReader, ChainWriter } from './chain-store.ts'
import type { ListPosition } from './list-position.ts'
import type { ReadsReader, ReadsWriter } from './reads.ts'
import type { StatisticsReader } from './statistics.ts'

/** A policy file as it was used, content-addressed. */
export interface PolicyBody {
  /** SHA-256 of the file's bytes. */
  readonly digest: string
  readonly family: string
  readonly version: string
  /** The file's text. */
  readonly body: string
}

/** What a candidate policy would have said beside a verdict. */
export interface ShadowRecord {
  /** The candidate's text, kept like that of every policy that was used. */
  readonly candidate: PolicyBody
  readonly outcome: Verdict['outcome']
  readonly differences: readonly ShadowDifference[]
}

/** Which shadow evaluations of a candidate are listed: all that differ in a rule, unless narrowed. */
export interface ShadowFilter {
  /** From one outcome to another, or to itself. */
  readonly change?: { readonly from: string; readonly to: string }
  /** Id of a rule that differs. */
  readonly rule?: string
}

/** A shadow evaluation in a list. */
export interface StoredShadow {
  /** Id of the verdict beside which it was made. */
  readonly verdict: string
  /** The policy of the verdict. */
  readonly policyDigest: string
  readonly from: string
  readonly to: string
  /** JSON of the rules that differ, a list of ShadowDifference. */
  readonly differences: string
}

/** One page, newest verdict first; `next` is the id to go on before, absent on the last. */
export interface ShadowPage {
  readonly shadows: readonly StoredShadow[]
  readonly next?: string
}

/** How many evaluations went from one outcome to another, or with a rule from one of its results to another. */
export interface ShadowCount {
  readonly rule?: string
  readonly from: string
  readonly to: string
  readonly evaluations: number
}

/** All that one recorded verdict writes, in one transaction. */
export interface VerdictRecord {
  readonly verdict: RecordedVerdict
  /** Canonical form of the verdict (RFC 8785), exactly as it is answered. */
  readonly body: string
  /** SHA-256 of body. */
  readonly recordDigest: string
  /** Canonical form of the fact document; its digest is verdict.documentDigest. */
  readonly document: string
  /** The policies of the verdict and of its alternatives. */
  readonly policies: readonly PolicyBody[]
  /** What a candidate policy would have said; lost rather than that the verdict is. */
  readonly shadow?: ShadowRecord
  /** Set when the caller gave an Idempotency-Key; the key's row commits with the verdict. */
  readonly idempotency?: { readonly key: string; readonly fingerprint: string }
}

/**
 * A verdict that has an identity because it is, or is about to be, stored. Its recordedAt is the time in its id, or
 * close to it (identity.ts makes both), so that a list by time is a range of ids.
 */
export type RecordedVerdict = Verdict & Required<Pick<Verdict, 'id' | 'tenant' | 'recordedAt'>>

/** Under an idempotency key, the first verdict is the answer to every later equal request. */
export type RecordResult =
  | { readonly kind: 'recorded'; readonly shadow?: 'kept' | 'lost' }
  | { readonly kind: 'replayed'; readonly id: string; readonly body: string }
  | { readonly kind: 'conflict' }

/** A signed bundle of policies that was taken into service. */
export interface AcceptedBundle {
  readonly sequence: number
  /** SHA-256 of its manifest. */
  readonly digest: string
  /** SHA-256 of the public key that verified it. */
  readonly signedBy: string
}

/** What an idempotency key stands for. */
export interface IdempotentVerdict {
  readonly fingerprint: string
  readonly id: string
  readonly body: string
}

/** What an auditor may filter a list by; all given filters must hold. Times are RFC 3339, UTC. */
export interface VerdictFilter {
  /** Recorded at or after. */
  readonly from?: string
  /** Recorded before. */
  readonly to?: string
  readonly outcome?: string
  readonly family?: string
  readonly osType?: string
  readonly osId?: string
  readonly imageName?: string
  readonly imageDigest?: string
  readonly policyVersion?: string
  /** Id of a rule whose result was fail. */
  readonly failedRule?: string
  /** Pointer of a fact that the verdict lists as missing. */
  readonly missingFact?: string
  /** Severity of a finding that did not pass; with effect or failedRule, of the same finding. */
  readonly severity?: string
  /** Effect of a finding that did not pass; with severity or failedRule, of the same finding. */
  readonly effect?: string
  /** Who submitted it. */
  readonly caller?: string
  /** Id of the request that submitted it. */
  readonly requestId?: string
  /** Text in the image's name, of at least 3 characters; letters A to Z match in either case. */
  readonly text?: string
}

/** A row of a list of verdicts, newest first. */
export interface VerdictSummary {
  readonly id: string
  readonly recordedAt: string
  readonly outcome: string
  readonly family: string
  readonly policyVersion: string
  readonly policyDigest: string
  readonly osType: string | null
  readonly osId: string | null
  readonly osVersion: string | null
  readonly imageName: string | null
  readonly imageDigest: string | null
  readonly factsDigest: string
  readonly documentDigest: string
  readonly recordDigest: string
}

/** One page; `next` is absent on the last, and a page before it may hold fewer than were asked for, or none. */
export interface VerdictPage {
  readonly verdicts: readonly VerdictSummary[]
  readonly next?: ListPosition
}

/** A verdict in the order in which verdicts were sealed. */
export interface SealedChange {
  readonly sequence: number
  /** Its link in the hash chain. */
  readonly link: string
  readonly verdict: VerdictSummary
}

/** A stored verdict, as it was answered. */
export interface StoredVerdict {
  readonly body: string
  readonly recordDigest: string
}

/** What a verdict was judged from and what it came to, as stored. */
export interface StoredRecord {
  readonly id: string
  /** The verdict, as it was answered. */
  readonly body: string
  /** Canonical form of its fact document; 'expired' when retention removed it, absent when the record lacks it. */
  readonly document?: string
}

/**
 * What the audit record tells. Each method rejects with STORE_UNAVAILABLE when the database cannot do its work, and
 * reads within one tenant; policy bodies belong to none.
 */
export interface StoreReader extends ApiKeyReader, ChainReader, StatisticsReader, ReadsReader {
  /** The verdict that an idempotency key stands for, if any. */
  idempotent(tenant: string, key: string): Promise<IdempotentVerdict | undefined>
  verdict(tenant: string, id: string): Promise<StoredVerdict | undefined>
  /** Canonical form of a fact document; 'expired' when retention removed it. */
  document(tenant: string, digest: string): Promise<string | 'expired' | undefined>
  policyBody(digest: string): Promise<string | undefined>
  /** Verdicts with their fact documents, at most 500 at once, in the order of the ids; what is not there is left out. */
  records(tenant: string, ids: readonly string[]): Promise<readonly StoredRecord[]>
  /** At most limit verdicts (1 to 500), newest first. Rejects with OPTION_INVALID for a time that cannot be read. */
  list(tenant: string, filter: VerdictFilter, limit: number, position?: ListPosition): Promise<VerdictPage>
  /** At most limit sealed verdicts (1 to 500) of a tenant after a sequence number, in the chain's order. */
  changes(tenant: string, after: number, limit: number): Promise<readonly SealedChange[]>
  /** How often a candidate, by its digest, differed: by outcome and by rule. */
  shadowCounts(tenant: string, candidate: string): Promise<readonly ShadowCount[]>
  /** At most limit shadow evaluations (1 to 500) of a candidate, newest verdict first, those below an id. */
  shadows(tenant: string, candidate: string, filter: ShadowFilter, limit: number, before?: string): Promise<ShadowPage>
  /** Finishes what was accepted, then closes. */
  close(): Promise<void>
}

/** The audit record. */
export interface Store extends StoreReader, ChainWriter, ReadsWriter {
  /**
   * Resolves only after the verdict is durable. Rejects with STORE_UNAVAILABLE, with OVERLOADED when too much waits,
   * with SHUTTING_DOWN after close, and with INTERNAL when this one record is at fault: its id is taken, or its
   * recordedAt is far from the time in its id. A process that dies during a failed commit, or
   * whose disk stays broken until it ends, may leave the verdict behind, whole and unacknowledged; under an idempotency
   * key the next try then finds it.
   */
  record(record: VerdictRecord): Promise<RecordResult>
  /**
   * Resolves once it is durable that a bundle is taken into service. Rejects with BUNDLE_ROLLBACK when one of a higher
   * sequence, or another of the same, was taken before; else as record does.
   */
  acceptBundle(bundle: AcceptedBundle): Promise<void>
  /**
   * Resolves once a change of the API keys is durable. Rejects with API_KEY_NOT_FOUND when the one to revoke or to
   * replace is not there, of another tenant, or revoked; else as record does.
   */
  changeApiKeys(change: ApiKeyChange): Promise<void>
  /** Resolves when the database can be read and written. */
  check(): Promise<void>
  /**
   * Counts one request of a caller in its present window, whose length is in milliseconds, over all replicas. Absent where
   * one process alone uses the database, and so can count by itself.
   */
  countRequest?(caller: string, windowMs: number): Promise<RequestCount>
}

/** Where the store tells what went wrong; pino's loggers fit. */
export interface StoreLog {
  warn(details: object, message: string): void
  info(details: object, message: string): void
}

/** Where a caller stands within its window of time. */
export interface RequestCount {
  /** Requests so far, this one included. */
  readonly requests: number
  /** Milliseconds until the window ends. */
  readonly remainingMs: number
}

/** Whose record it is where callers have no names, and so no tenant. */
export const defaultTenant = 'default'
