import { type DocumentKey, type ExpiryPortion, type ExpiryTarget, expiryPortion } from './retention.ts'
import { openForWriting } from './sqlite-connection.ts'
import { storeError } from './sqlite-errors.ts'
import { requireMigrated } from './sqlite-migrate.ts'

/** The documents of a portion, by their key; each is looked up among the verdicts by its digest. */
export const expirySql = `SELECT tenant, digest, length(CAST(body AS BLOB)) AS bytes FROM fact_documents
  WHERE (tenant, digest) > (?, ?) AND body IS NOT NULL AND tenant >= ? AND tenant <= ? AND NOT EXISTS (
    SELECT 1 FROM verdicts WHERE verdicts.tenant = fact_documents.tenant
      AND verdicts.document_digest = fact_documents.digest AND verdicts.id >= ?
  ) ORDER BY tenant, digest LIMIT ?`

/** Opens a database, in use or not, for removing facts. Throws STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export function openSqliteExpiry(file: string): ExpiryTarget {
  try {
    const db = openForWriting(file)
    requireMigrated(db)
    const select = db.prepare<unknown[], DocumentKey & { bytes: number }>(expirySql)
    const remove = db.prepare(
      'UPDATE fact_documents SET body = NULL, removed_at = ?, removal_reason = ? WHERE tenant = ? AND digest = ?',
    )
    const next = db.transaction(({ tenant, after, kept, removedAt, reason, dryRun }: ExpiryPortion) => {
      const last = tenant ?? '\u{10ffff}'
      const found = select.all(after.tenant, after.digest, tenant ?? '', last, kept, expiryPortion)
      if (!dryRun) for (const one of found) remove.run(removedAt, reason, one.tenant, one.digest)
      return found
    })
    return {
      async portion(portion) {
        try {
          return next.immediate(portion)
        } catch (error) {
          throw storeError(error)
        }
      },
      async close() {
        db.close()
      },
    }
  } catch (error) {
    throw storeError(error)
  }
}
