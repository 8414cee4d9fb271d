import type { Kysely } from 'kysely'
import type { ChainEntry } from './chain.ts'
import { maxPage } from './queries.ts'
import type { AuditTables } from './tables.ts'

/** The query behind readEntries: a range of the primary key. */
export function entriesQuery(db: Kysely<AuditTables>, tenant: string, after: number, limit: number) {
  return db
    .selectFrom('chain')
    .select([
      'tenant',
      'sequence',
      'verdict_id as verdictId',
      'record_digest as recordDigest',
      'previous_link as previousLink',
      'link',
    ])
    .where('tenant', '=', tenant)
    .where('sequence', '>', after)
    .orderBy('sequence')
    .limit(limit)
}

/** At most limit entries (1 to 500) of a tenant's chain after a sequence number, in the chain's order. */
export function readEntries(
  db: Kysely<AuditTables>,
  tenant: string,
  after: number,
  limit: number,
): Promise<readonly ChainEntry[]> {
  return entriesQuery(db, tenant, after, Math.min(Math.max(Math.trunc(limit), 1), maxPage)).execute()
}
