import type { Kysely } from 'kysely'
import { summaryColumns } from './list-query.ts'
import { maxPage, summaryOf } from './queries.ts'
import type { SealedChange } from './store.ts'
import type { AuditTables } from './tables.ts'

/** The query behind readChanges: a range of the chain, each verdict by its key. */
export function changesQuery(db: Kysely<AuditTables>, tenant: string, after: number, limit: number) {
  return db
    .selectFrom('chain')
    .crossJoin('verdicts')
    .select(['chain.sequence', 'chain.link', ...summaryColumns.filter((name) => name !== 'record_digest')])
    .select('chain.record_digest')
    .where('chain.tenant', '=', tenant)
    .where('chain.sequence', '>', after)
    .where('verdicts.tenant', '=', tenant)
    .whereRef('verdicts.id', '=', 'chain.verdict_id')
    .orderBy('chain.sequence')
    .limit(limit)
}

/** At most limit (1 to 500) sealed verdicts of a tenant after a sequence number, in the chain's order. */
export async function readChanges(
  db: Kysely<AuditTables>,
  tenant: string,
  after: number,
  limit: number,
): Promise<readonly SealedChange[]> {
  const rows = await changesQuery(db, tenant, after, Math.min(Math.max(Math.trunc(limit), 1), maxPage)).execute()
  return rows.map((row) => ({ sequence: row.sequence, link: row.link, verdict: summaryOf(row) }))
}
