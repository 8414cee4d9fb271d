import type { Database } from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import type { AuditSnapshot, SnapshotQuery } from './snapshot.ts'
import { openForReading } from './sqlite-connection.ts'
import { storeError } from './sqlite-errors.ts'
import { requireMigrated } from './sqlite-migrate.ts'
import type { AuditTables } from './tables.ts'

/** What a connection sees, which must stay the same while it is read. */
export function snapshotOf(database: Database): AuditSnapshot {
  const db = new Kysely<AuditTables>({ dialect: new SqliteDialect({ database }) })
  return {
    dialect: 'sqlite',
    async *rows<T>(query: SnapshotQuery<T>): AsyncGenerator<T, void, void> {
      const { sql, parameters } = query(db).compile()
      try {
        yield* database.prepare<unknown[], T>(sql).iterate(...parameters)
      } catch (error) {
        throw storeError(error)
      }
    },
    async close() {
      database.close()
    },
  }
}

/**
 * One moment of a SQLite database, in use or not. While it is open the write-ahead log of a database in use cannot be
 * cut. Throws STORE_INCOMPATIBLE or STORE_UNAVAILABLE.
 */
export function openSqliteSnapshot(file: string): AuditSnapshot {
  try {
    const database = openForReading(file)
    try {
      requireMigrated(database)
      database.exec('BEGIN')
    } catch (error) {
      database.close()
      throw error
    }
    return snapshotOf(database)
  } catch (error) {
    throw storeError(error)
  }
}
