import type { ListPosition } from './list-position.ts'
import type { AuditReadRow } from './tables.ts'

/** A read of the audit trail, as it was answered. */
export interface AuditRead {
  /** UUID version 7, of newIdentity. */
  readonly id: string
  /** The time in the id. RFC 3339, UTC. */
  readonly at: string
  /** Who read, as callers are named. */
  readonly caller: string
  readonly roles: readonly string[]
  /** The operation's name in the API description. */
  readonly operation: string
  /** The verdict that was asked for by its id, whether there is one or not. */
  readonly verdict: string | null
  /** Canonical JSON of what was asked: path and query. */
  readonly request: string
  readonly status: number
  /** Records in the answer; null where that says nothing. */
  readonly answered: number | null
  readonly requestId: string
}

/** A read as it is told: what was asked is no text any more. */
export type ToldRead = Omit<AuditRead, 'request'> & {
  readonly request: { readonly path: object; readonly query: object }
}

/** A read as it is told. */
export function told(read: AuditRead): ToldRead {
  return { ...read, request: JSON.parse(read.request) }
}

/** What an auditor may filter reads by; all given filters must hold. Times are RFC 3339, UTC. */
export interface ReadFilter {
  /** At or after. */
  readonly from?: string
  /** Before. */
  readonly to?: string
  readonly caller?: string
  readonly operation?: string
  /** Asked for by the id of this verdict. */
  readonly verdict?: string
}

/** One page, newest first; `next` is absent on the last. */
export interface ReadPage {
  readonly reads: readonly AuditRead[]
  readonly next?: ListPosition
}

/** Tells who has read the audit trail, within one tenant; it rejects as StoreReader does. */
export interface ReadsReader {
  /** At most limit reads (1 to 500), newest first. Rejects with OPTION_INVALID for a time that cannot be read. */
  reads(tenant: string, filter: ReadFilter, limit: number, position?: ListPosition): Promise<ReadPage>
}

/** Remembers who has read the audit trail. */
export interface ReadsWriter {
  /** Resolves only after the read is durable. Rejects as Store.record does. */
  recordRead(tenant: string, read: AuditRead): Promise<void>
}

/** A read as a row. */
export function toReadRow(tenant: string, read: AuditRead): AuditReadRow {
  const { verdict, requestId, roles, ...same } = read
  return { tenant, ...same, roles: roles.join(' '), verdict_id: verdict, request_id: requestId }
}

/** A row as a read. */
export function readOf(row: Omit<AuditReadRow, 'tenant'>): AuditRead {
  const { verdict_id: verdict, request_id: requestId, roles, ...same } = row
  return { ...same, roles: roles === '' ? [] : roles.split(' '), verdict, requestId }
}
