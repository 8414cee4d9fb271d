import { ImagegateError } from '../errors.ts'
import { type AppliedMigration, type Migration, pendingMigrations, readMigrations } from './migrate.ts'
import { type Connection, inTransaction, openPool } from './postgres-connection.ts'

/** The migrations that come with this program. */
export const postgresMigrations = new URL('../../migrations/postgres/', import.meta.url)

/** Any number that nothing else in the database locks; replicas that start together migrate one after another by it. */
const lock = 5_019_716_322

/** Without limits of time: a migration may take long, and replicas wait for each other. */
const begin = 'BEGIN; SET LOCAL synchronous_commit = on'

/**
 * Brings a database to the newest migration, each in its own transaction, so that a killed one leaves nothing behind.
 * Rejects with STORE_INCOMPATIBLE when the database does not fit the files.
 */
export async function migratePostgres(url: string, directory = postgresMigrations): Promise<void> {
  const migrations = readMigrations(directory)
  const pool = openPool({ url, size: 1, patient: true })
  try {
    while (await inTransaction(pool, begin, (connection) => applyNext(connection, migrations))) {}
  } finally {
    await pool.end()
  }
}

/** Rejects with STORE_INCOMPATIBLE unless the database went through every migration of the directory and no other. */
export async function requireMigrated(connection: Connection, directory = postgresMigrations): Promise<void> {
  const [first] = pendingMigrations(readMigrations(directory), await appliedMigrations(connection))
  if (first !== undefined) {
    throw new ImagegateError('STORE_INCOMPATIBLE', `The database still needs ${first.name}; start the server once.`)
  }
}

/** Applies one migration and says whether there was one; another replica may have been faster since the last look. */
async function applyNext(connection: Connection, migrations: readonly Migration[]): Promise<boolean> {
  await connection.query('SELECT pg_advisory_xact_lock($1)', [lock])
  const applied = await appliedMigrations(connection)
  const [next] = pendingMigrations(migrations, applied)
  if (next === undefined) return false
  if (applied.length === 0) {
    await connection.query(
      'CREATE TABLE migrations (name text COLLATE "C" PRIMARY KEY, checksum text NOT NULL, applied_at text NOT NULL)',
    )
  }
  await connection.query(next.sql)
  await connection.query('INSERT INTO migrations (name, checksum, applied_at) VALUES ($1, $2, $3)', [
    next.name,
    next.checksum,
    new Date().toISOString(),
  ])
  return true
}

/** What a database went through, oldest first. Rejects with STORE_INCOMPATIBLE when its tables are another program's. */
export async function appliedMigrations(
  connection: Connection,
): Promise<readonly (AppliedMigration & { readonly applied_at: string })[]> {
  const { rows: tables } = await connection.query<{ name: string }>(
    'SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()',
  )
  if (tables.some(({ name }) => name === 'migrations')) {
    const { rows } = await connection.query<AppliedMigration & { applied_at: string }>(
      'SELECT name, checksum, applied_at FROM migrations ORDER BY name',
    )
    return rows
  }
  if (tables.length > 0) {
    throw new ImagegateError('STORE_INCOMPATIBLE', 'The database holds tables of another program.')
  }
  return []
}
