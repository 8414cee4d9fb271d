import type { ErrorCode } from '../errors.ts'
import type { ApiKeyChange, ApiKeyResult } from './api-keys.ts'
import type { RecordRows } from './rows.ts'
import type { AcceptedBundle, RecordResult } from './store.ts'

/** What the writer is asked to make durable: a record, a bundle taken into service, a change of keys, or a sign that it can write. */
export type WriteRequest =
  | RecordRows
  | { readonly bundle: AcceptedBundle }
  | { readonly apiKey: ApiKeyChange }
  | 'check'

/** Whether it is a record. */
export function isRecord(request: WriteRequest): request is RecordRows {
  return request !== 'check' && 'verdict' in request
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

/** What became of one request of a committed batch. */
export type WriteOutcome =
  | RecordResult
  | BundleResult
  | ApiKeyResult
  | { readonly kind: 'failed'; readonly failure: StoreFailure }
