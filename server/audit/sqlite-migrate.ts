import type { Database } from 'better-sqlite3'
import { ImagegateError } from '../errors.ts'
import { type AppliedMigration, type Migration, pendingMigrations, readMigrations } from './migrate.ts'

/** The migrations that come with this program. */
export const sqliteMigrations = new URL('../../migrations/sqlite/', import.meta.url)

/**
 * Brings a database to the newest migration, each in its own transaction, so that a killed one leaves nothing behind.
 * Throws STORE_INCOMPATIBLE when the database does not fit the files.
 */
export function migrateSqlite(db: Database, directory = sqliteMigrations): void {
  const migrations = readMigrations(directory)
  while (inTransaction(db, () => applyNext(db, migrations))) {}
}

/** Throws STORE_INCOMPATIBLE unless the database went through every migration of the directory and no other. */
export function requireMigrated(db: Database, directory = sqliteMigrations): void {
  const [first] = pendingMigrations(readMigrations(directory), appliedMigrations(db))
  if (first !== undefined) {
    throw new ImagegateError('STORE_INCOMPATIBLE', `The database still needs ${first.name}; start the server once.`)
  }
}

/** Applies one migration and says whether there was one; another process may have been faster since the last look. */
function applyNext(db: Database, migrations: readonly Migration[]): boolean {
  const applied = appliedMigrations(db)
  const [next] = pendingMigrations(migrations, applied)
  if (next === undefined) return false
  if (applied.length === 0) {
    db.exec(`CREATE TABLE migrations (
      name TEXT NOT NULL PRIMARY KEY, checksum TEXT NOT NULL, applied_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID`)
  }
  db.exec(next.sql)
  db.prepare('INSERT INTO migrations (name, checksum, applied_at) VALUES (?, ?, ?)').run(
    next.name,
    next.checksum,
    new Date().toISOString(),
  )
  return true
}

/** What a database went through, oldest first. Throws STORE_INCOMPATIBLE when its tables are another program's. */
export function appliedMigrations(db: Database): readonly (AppliedMigration & { readonly applied_at: string })[] {
  const tables = db.prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  if (tables.some(({ name }) => name === 'migrations')) {
    return db
      .prepare<[], AppliedMigration & { applied_at: string }>(
        'SELECT name, checksum, applied_at FROM migrations ORDER BY name',
      )
      .all()
  }
  if (tables.length > 0) {
    throw new ImagegateError('STORE_INCOMPATIBLE', 'The database holds tables of another program.')
  }
  return []
}

function inTransaction<T>(db: Database, work: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK')
    throw error
  }
}
