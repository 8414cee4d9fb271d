import type { Connection } from './postgres-connection.ts'
import { columnsOf } from './postgres-insert.ts'
import type { AuditReadRow } from './tables.ts'

/** Records reads, inside a transaction. */
export async function insertReads(connection: Connection, reads: readonly AuditReadRow[]): Promise<void> {
  if (reads.length === 0) return
  await connection.query(
    `INSERT INTO audit_reads
       (tenant, id, at, caller, roles, operation, verdict_id, request, request_id, status, answered)
     SELECT tenant, id, at, caller, roles, operation, verdict_id, request, request_id, status::integer, answered::integer
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
       $9::text[], $10::text[], $11::text[])
       AS sent (tenant, id, at, caller, roles, operation, verdict_id, request, request_id, status, answered)`,
    [
      ...columnsOf(reads, 'tenant', 'id', 'at', 'caller', 'roles', 'operation', 'verdict_id', 'request'),
      ...columnsOf(reads, 'request_id', 'status', 'answered'),
    ],
  )
}
