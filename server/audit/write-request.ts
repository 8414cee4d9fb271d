import type { Checkpoint } from '../documents/checkpoint.ts'
import type { ErrorCode } from '../errors.ts'
import type { ApiKeyChange, ApiKeyResult } from './api-keys.ts'
import type { RecordRows } from './rows.ts'
import type { AcceptedBundle, RecordResult } from './store.ts'
import type { AuditReadRow } from './tables.ts'

/** What the writer is asked to make durable: a record, a bundle, a change of keys, a checkpoint, a read, or a sign that it can write. */
export type WriteRequest =
  | RecordRows
  | { readonly bundle: AcceptedBundle }
  | { readonly apiKey: ApiKeyChange }
  | { readonly checkpoint: Checkpoint }
  | { readonly read: AuditReadRow }
  | 'check'

/** Whether it is a record. */
export function isRecord(request: WriteRequest): request is RecordRows {
  return request !== 'check' && 'verdict' in request
}

/** Whether it is a read of the audit trail. */
export function isRead(request: WriteRequest): request is { readonly read: AuditReadRow } {
  return request !== 'check' && 'read' in request
}

/** An error that can cross from the writer's thread: its code, and a detail that is safe to show. */
export interface StoreFailure {
  readonly code: ErrorCode
  readonly detail: string
  /** The error's own words, for the log alone. */
  readonly reason?: string
}

/** What became of a bundle: taken, or older than the one that is named. */
export type BundleResult = { readonly kind: 'recorded' } | { readonly kind: 'older'; readonly newest: AcceptedBundle }

/** What became of a checkpoint; taken when it does not begin where the last one ended. */
export type CheckpointResult = { readonly kind: 'recorded' } | { readonly kind: 'taken' }

/** What became of one request of a committed batch. */
export type WriteOutcome =
  | RecordResult
  | BundleResult
  | ApiKeyResult
  | CheckpointResult
  | { readonly kind: 'failed'; readonly failure: StoreFailure }
