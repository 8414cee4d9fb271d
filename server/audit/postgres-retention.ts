import { inTransaction, openPool, setTenant } from './postgres-connection.ts'
import { postgresError } from './postgres-errors.ts'
import { requireMigrated } from './postgres-migrate.ts'
import { type DocumentKey, type ExpiryTarget, expiryPortion } from './retention.ts'

/** The documents of a portion, by their key; each is looked up among the verdicts by its digest. */
export const expirySql = `SELECT tenant, digest, octet_length(body) AS bytes FROM fact_documents
  WHERE (tenant, digest) > ($1, $2) AND body IS NOT NULL AND ($3::text IS NULL OR tenant = $3)
    AND NOT EXISTS (SELECT FROM verdicts WHERE verdicts.tenant = fact_documents.tenant
      AND verdicts.document_digest = fact_documents.digest AND verdicts.id >= $4)
  ORDER BY tenant, digest LIMIT $5`

/**
 * The transaction of a portion. Of the policy by tenant the planner expects that it lets hardly a row through, and would
 * read and sort the whole table for every portion.
 */
export const beginExpiry = `BEGIN; SET LOCAL lock_timeout = '30s'; SET LOCAL synchronous_commit = on;
  SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0`

/** Opens a database, in use or not, for removing facts. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openPostgresExpiry(url: string): Promise<ExpiryTarget> {
  const pool = openPool({ url, size: 1, patient: true })
  const told = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw postgresError(error)
    }
  }
  try {
    await told(inTransaction(pool, 'BEGIN READ ONLY', (connection) => requireMigrated(connection)))
  } catch (error) {
    await pool.end()
    throw error
  }
  return {
    portion: ({ tenant, after, kept, removedAt, reason, dryRun }) =>
      told(
        inTransaction(pool, beginExpiry, async (connection) => {
          await setTenant(connection, tenant ?? '*')
          // A verdict that is just being recorded keeps its document: recording waits for this portion, or this for it.
          if (!dryRun) await connection.query('LOCK TABLE fact_documents IN SHARE ROW EXCLUSIVE MODE')
          const { rows } = await connection.query<DocumentKey & { bytes: number }>(expirySql, [
            after.tenant,
            after.digest,
            tenant ?? null,
            kept,
            expiryPortion,
          ])
          if (dryRun) return rows
          await connection.query(
            `UPDATE fact_documents SET body = NULL, removed_at = $1, removal_reason = $2
             FROM unnest($3::text[], $4::text[]) AS gone (tenant, digest)
             WHERE fact_documents.tenant = gone.tenant AND fact_documents.digest = gone.digest`,
            [removedAt, reason, rows.map((row) => row.tenant), rows.map((row) => row.digest)],
          )
          return rows
        }),
      ),
    close: () => pool.end(),
  }
}
