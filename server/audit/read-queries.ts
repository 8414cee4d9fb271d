import type { Kysely } from 'kysely'
import { idFloor } from './identity.ts'
import type { ListPosition } from './list-position.ts'
import { maxPage } from './queries.ts'
import { type ReadFilter, type ReadPage, readOf } from './reads.ts'
import type { AuditTables } from './tables.ts'
import { firstMillisecond } from './times.ts'

/** What a list of reads asks for. */
export interface ReadsRequest {
  readonly tenant: string
  readonly filter: ReadFilter
  /** Greatest number of rows. */
  readonly limit: number
  readonly position?: ListPosition | undefined
}

const columns = [
  'id',
  'at',
  'caller',
  'roles',
  'operation',
  'verdict_id',
  'request',
  'status',
  'answered',
  'request_id',
] as const

/** The query behind a list of reads: every filter and each two of them have an index, in the order of the ids. */
export function readsQuery(db: Kysely<AuditTables>, { tenant, filter, limit, position }: ReadsRequest) {
  const { from, to, caller, operation, verdict } = filter
  let query = db.selectFrom('audit_reads').select(columns).where('tenant', '=', tenant)
  if (caller !== undefined) query = query.where('caller', '=', caller)
  if (operation !== undefined) query = query.where('operation', '=', operation)
  if (verdict !== undefined) query = query.where('verdict_id', '=', verdict)
  // The time in an id is exactly when it was.
  if (from !== undefined) query = query.where('id', '>=', idFloor(firstMillisecond(from)))
  const [end] = [
    ...(position === undefined ? [] : [position.before]),
    ...(to === undefined ? [] : [idFloor(firstMillisecond(to))]),
  ].sort()
  if (end !== undefined) query = query.where('id', '<', end)
  if (position !== undefined && (end === undefined || position.upTo < end)) {
    query = query.where('id', '<=', position.upTo)
  }
  return query.orderBy('id', 'desc').limit(limit)
}

/** One page of reads, newest first, of at most `limit` (1 to 500; what lies outside counts as the nearest). */
export async function listReads(db: Kysely<AuditTables>, request: ReadsRequest): Promise<ReadPage> {
  const size = Math.min(Math.max(Math.trunc(request.limit), 1), maxPage)
  const rows = await readsQuery(db, { ...request, limit: size + 1 }).execute()
  const reads = rows.slice(0, size).map(readOf)
  const [first] = reads
  const last = reads.at(-1)
  if (rows.length <= size || !first || !last) return { reads }
  return { reads, next: { upTo: request.position?.upTo ?? first.id, before: last.id } }
}
