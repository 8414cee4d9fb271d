import { statSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import type { MaintainedDatabase, TableShape } from './maintained.ts'
import { pendingMigrations, readMigrations } from './migrate.ts'
import { openForReading } from './sqlite-connection.ts'
import { storeError } from './sqlite-errors.ts'
import { appliedMigrations, sqliteMigrations } from './sqlite-migrate.ts'
import type { AuditTables } from './tables.ts'

/** Opens a database, in use or not, migrated or not, for reading. Throws STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export function openMaintainedSqlite(file: string): MaintainedDatabase {
  try {
    return maintained(openForReading(file), file)
  } catch (error) {
    throw storeError(error)
  }
}

/** The same on a connection that is open. */
export function maintained(database: Database, file: string): MaintainedDatabase {
  const db = new Kysely<AuditTables>({ dialect: new SqliteDialect({ database }) })
  return {
    dialect: 'sqlite',
    place: file,
    db,
    async migrations() {
      const applied = appliedMigrations(database)
      const pending = pendingMigrations(readMigrations(sqliteMigrations), applied)
      return {
        applied: applied.map(({ name, applied_at }) => ({ name, appliedAt: applied_at })),
        pending: pending.map(({ name }) => name),
      }
    },
    tables: async () => tablesOf(database),
    async bytes() {
      return sizeOf(file) + sizeOf(`${file}-wal`)
    },
    async partitions() {
      return []
    },
    explain: storeError,
    async close() {
      await db.destroy()
      // A connection that no query of kysely used is not closed by it.
      database.close()
    },
  }
}

function tablesOf(database: Database): readonly TableShape[] {
  // Virtual tables, and what they keep their rows in, are indexes that this dialect alone has.
  const names = database
    .prepare<[], string>(
      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name",
    )
    .pluck()
  const columns = database.prepare<[string], { name: string; pk: number }>(
    'SELECT name, pk FROM pragma_table_info(?) ORDER BY name',
  )
  return names.all().map((name) => {
    const found = columns.all(name)
    const key = found.filter(({ pk }) => pk > 0).sort((one, other) => one.pk - other.pk)
    return { name, columns: found.map((column) => column.name), key: key.map((column) => column.name) }
  })
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
