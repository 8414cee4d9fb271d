import type { Database } from 'better-sqlite3'
import type { AuditReadRow } from './tables.ts'

/** Prepares the statement that records a read, inside a transaction. */
export function prepareRead(db: Database): (read: AuditReadRow) => void {
  const insert = db.prepare<[AuditReadRow]>(
    `INSERT INTO audit_reads
       (tenant, id, at, caller, roles, operation, verdict_id, request, status, answered, request_id)
     VALUES (@tenant, @id, @at, @caller, @roles, @operation, @verdict_id, @request, @status, @answered, @request_id)`,
  )
  return (read) => {
    insert.run(read)
  }
}
