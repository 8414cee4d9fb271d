import type pg from 'pg'
import { type ChainEntry, type ChainHead, emptyHead, nextEntry } from './chain.ts'
import { beginWriting, type Connection, inTransaction, setTenant } from './postgres-connection.ts'
import { countSealed } from './postgres-daily-counts.ts'
import { columnsOf, inOrder } from './postgres-insert.ts'
import { textArray } from './postgres-values.ts'

/** Verdicts that are sealed in one transaction. */
export const sealPortion = 500

/** Any number that nothing else in the database locks: who holds it seals. */
const lock = 5_019_716_323

interface Waiting {
  readonly tenant: string
  readonly verdict_id: string
  readonly record_digest: string
}

/**
 * Seals and counts the oldest verdicts that wait, at most a portion, whole or not at all, and gives their entries. 'busy' when
 * another replica is sealing: one at a time, so that a chain has one end.
 */
export function sealOldest(pool: pg.Pool): Promise<readonly ChainEntry[] | 'busy'> {
  return inTransaction(pool, beginWriting, async (connection) => {
    await setTenant(connection, '*')
    const { rows: locks } = await connection.query<{ held: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS held', [
      lock,
    ])
    if (!locks[0]?.held) return 'busy'
    const { rows } = await connection.query<Waiting>(
      'SELECT tenant, verdict_id, record_digest FROM unsealed ORDER BY verdict_id, tenant LIMIT $1',
      [sealPortion],
    )
    if (rows.length === 0) return []
    const heads = await headsOf(connection, rows)
    const entries = rows.map(({ tenant, verdict_id, record_digest }) => {
      const entry = nextEntry(tenant, heads.get(tenant) ?? emptyHead, verdict_id, record_digest)
      heads.set(tenant, entry)
      return entry
    })
    await append(connection, entries)
    await countSealed(connection, entries)
    return entries
  })
}

async function headsOf(connection: Connection, waiting: readonly Waiting[]): Promise<Map<string, ChainHead>> {
  const tenants = inOrder(waiting, ({ tenant }) => tenant).map(({ tenant }) => tenant)
  const { rows } = await connection.query<ChainHead & { tenant: string }>(
    `SELECT asked.tenant, head.sequence, head.link FROM unnest($1::text[]) AS asked (tenant)
     CROSS JOIN LATERAL (
       SELECT sequence, link FROM chain WHERE chain.tenant = asked.tenant ORDER BY sequence DESC LIMIT 1
     ) AS head`,
    [textArray(tenants)],
  )
  return new Map(rows.map((row) => [row.tenant, row]))
}

async function append(connection: Connection, entries: readonly ChainEntry[]): Promise<void> {
  await connection.query(
    `INSERT INTO chain (tenant, sequence, verdict_id, record_digest, previous_link, link)
     SELECT tenant, sequence::bigint, verdict_id, record_digest, previous_link, link
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
       AS sent (tenant, sequence, verdict_id, record_digest, previous_link, link)`,
    columnsOf(entries, 'tenant', 'sequence', 'verdictId', 'recordDigest', 'previousLink', 'link'),
  )
  await connection.query(
    `DELETE FROM unsealed USING unnest($1::text[], $2::text[]) AS sealed (tenant, verdict_id)
     WHERE unsealed.tenant = sealed.tenant AND unsealed.verdict_id = sealed.verdict_id`,
    columnsOf(entries, 'tenant', 'verdictId'),
  )
}

/** How many verdicts wait, counted up to a bound, and the id of the oldest. */
export function countWaiting(pool: pg.Pool, bound: number): Promise<{ waiting: number; oldest?: string }> {
  return inTransaction(pool, 'BEGIN READ ONLY', async (connection) => {
    await setTenant(connection, '*')
    const { rows } = await connection.query<{ waiting: number; oldest: string | null }>(
      `SELECT (SELECT count(*) FROM (SELECT FROM unsealed LIMIT $1) AS bounded) AS waiting,
         (SELECT verdict_id FROM unsealed ORDER BY verdict_id LIMIT 1) AS oldest`,
      [bound],
    )
    const [{ waiting, oldest } = { waiting: 0, oldest: null }] = rows
    return { waiting, ...(oldest !== null && { oldest }) }
  })
}
