import type { Compilable, Kysely } from 'kysely'
import type { Dialect } from './list-request.ts'
import type { AuditTables } from './tables.ts'

/** Builds one query. */
export type SnapshotQuery<T> = (db: Kysely<AuditTables>) => Compilable<T>

/**
 * One moment of a whole database, of every tenant, however long the reading takes and whatever is written meanwhile.
 * Several queries can be read at the same time, row by row.
 */
export interface AuditSnapshot {
  readonly dialect: Dialect
  /**
   * The rows of a query, which are held in memory `atOnce` at a time at most (1000 when left out).
   * Rejects with STORE_UNAVAILABLE or STORE_INCOMPATIBLE.
   */
  rows<T>(query: SnapshotQuery<T>, atOnce?: number): AsyncIterable<T>
  close(): Promise<void>
}

/** The only row of a query, or undefined. */
export async function oneRow<T>(snapshot: AuditSnapshot, query: SnapshotQuery<T>): Promise<T | undefined> {
  for await (const row of snapshot.rows(query, 1)) return row
  return undefined
}
