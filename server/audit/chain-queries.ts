import { type Kysely, sql } from 'kysely'
import type { Checkpoint } from '../documents/checkpoint.ts'
import { type ChainEntry, makeProof, maxSegment } from './chain.ts'
import type { Coverage, ProofState } from './chain-store.ts'
import { maxPage } from './queries.ts'
import type { AuditTables, CheckpointRow } from './tables.ts'

function pageSize(limit: number): number {
  return Math.min(Math.max(Math.trunc(limit), 1), maxPage)
}

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
  return entriesQuery(db, tenant, after, pageSize(limit)).execute()
}

/** The query behind readCheckpoints: a range of the primary key. */
export function checkpointsQuery(db: Kysely<AuditTables>, tenant: string, after: number, limit: number) {
  return db
    .selectFrom('checkpoints')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('sequence', '>', after)
    .orderBy('sequence')
    .limit(limit)
}

/** The document that a row of checkpoints holds. */
export function checkpointOf({ from_sequence, ...row }: CheckpointRow): Checkpoint {
  const { tenant, sequence, link, root, at, key, signature } = row
  return { schema: 'imagegate.checkpoint/1', tenant, from: from_sequence, sequence, link, root, at, key, signature }
}

/** At most limit checkpoints (1 to 500) that end after a sequence number, in the chain's order. */
export async function readCheckpoints(
  db: Kysely<AuditTables>,
  tenant: string,
  after: number,
  limit: number,
): Promise<readonly Checkpoint[]> {
  return (await checkpointsQuery(db, tenant, after, pageSize(limit)).execute()).map(checkpointOf)
}

/**
 * What follows WITH RECURSIVE to name the tenants that have a chain, and in the end a null. It goes from tenant to tenant
 * by the first column of the key instead of reading every entry.
 */
export const chainTenants = sql`tenants (tenant) AS (
      SELECT * FROM (SELECT tenant FROM chain ORDER BY tenant LIMIT 1) AS first_tenant
      UNION ALL
      SELECT (SELECT chain.tenant FROM chain WHERE chain.tenant > tenants.tenant ORDER BY chain.tenant LIMIT 1)
      FROM tenants WHERE tenants.tenant IS NOT NULL
    )`

/** The query behind readCoverage: the two ends of each tenant's chain. */
export function coverageQuery() {
  return sql<Coverage>`
    WITH RECURSIVE ${chainTenants}
    SELECT tenant, sealed, coalesce(covered, 0) AS covered FROM (
      SELECT tenant,
        (SELECT sequence FROM chain WHERE chain.tenant = tenants.tenant ORDER BY sequence DESC LIMIT 1) AS sealed,
        (SELECT sequence FROM checkpoints WHERE checkpoints.tenant = tenants.tenant
          ORDER BY sequence DESC LIMIT 1) AS covered
      FROM tenants WHERE tenant IS NOT NULL
    ) AS ends`
}

/** How far every tenant's chain and checkpoints go; the connection must see all tenants. */
export async function readCoverage(db: Kysely<AuditTables>): Promise<readonly Coverage[]> {
  return (await coverageQuery().execute(db)).rows
}

/** The query that finds a verdict's entry. */
export function entryQuery(db: Kysely<AuditTables>, tenant: string, id: string) {
  return entriesQuery(db, tenant, 0, 1).where('verdict_id', '=', id)
}

/** The links of a segment, in its order. */
export function linksQuery(db: Kysely<AuditTables>, { tenant, from, sequence }: Checkpoint) {
  return db
    .selectFrom('chain')
    .select('link')
    .where('tenant', '=', tenant)
    .where('sequence', '>=', from)
    .where('sequence', '<=', sequence)
    .orderBy('sequence')
    .limit(maxSegment)
}

/** The proof that a verdict stands in the chain, from what the database holds; whether it does hold, the reader checks. */
export async function findProof(db: Kysely<AuditTables>, tenant: string, id: string): Promise<ProofState | undefined> {
  const entry = await entryQuery(db, tenant, id).executeTakeFirst()
  if (entry === undefined) {
    const verdict = await db
      .selectFrom('verdicts')
      .select('id')
      .where('tenant', '=', tenant)
      .where('id', '=', id)
      .executeTakeFirst()
    return verdict && 'unsealed'
  }
  const [checkpoint] = await readCheckpoints(db, tenant, entry.sequence - 1, 1)
  if (checkpoint === undefined) return 'uncovered'
  const rows = await linksQuery(db, checkpoint).execute()
  return makeProof(
    entry,
    rows.map(({ link }) => link),
    checkpoint,
  )
}
