import type pg from 'pg'
import { placeName } from '../database.ts'
import type { MaintainedDatabase, MigrationState, Partition, TableShape } from './maintained.ts'
import { pendingMigrations, readMigrations } from './migrate.ts'
import { type Connection, openPool, setTenant } from './postgres-connection.ts'
import { postgresError } from './postgres-errors.ts'
import { appliedMigrations, postgresMigrations } from './postgres-migrate.ts'
import { kyselyOn } from './postgres-reader.ts'

/** Opens a database, migrated or not, for reading. Rejects with STORE_UNAVAILABLE. */
export function openMaintainedPostgres(url: string): Promise<MaintainedDatabase> {
  return maintainedOn(url, async (connection) => {
    await connection.query('BEGIN READ ONLY')
    await setTenant(connection, '*')
  })
}

/** Opens a database on one connection, after `prepare` has made it see every tenant. Rejects with STORE_UNAVAILABLE. */
export async function maintainedOn(
  url: string,
  prepare: (connection: Connection) => Promise<unknown>,
): Promise<MaintainedDatabase> {
  const pool = openPool({ url, size: 1, patient: true })
  try {
    const connection = await pool.connect()
    try {
      await prepare(connection)
      return maintained(pool, connection, placeName({ kind: 'postgres', url }))
    } catch (error) {
      connection.release(true)
      throw error
    }
  } catch (error) {
    await pool.end()
    throw postgresError(error)
  }
}

function maintained(pool: pg.Pool, connection: Connection, place: string): MaintainedDatabase {
  return {
    dialect: 'postgres',
    place,
    db: kyselyOn(connection),
    migrations: () => migrationsOf(connection),
    tables: () => tablesOf(connection),
    async bytes() {
      const { rows } = await connection.query<{ bytes: number }>('SELECT pg_database_size(current_database()) AS bytes')
      return rows[0]?.bytes ?? 0
    },
    partitions: () => partitionsOf(connection),
    explain: postgresError,
    async close() {
      // Closing the connection ends its transaction.
      connection.release(true)
      await pool.end()
    },
  }
}

async function migrationsOf(connection: Connection): Promise<MigrationState> {
  const applied = await appliedMigrations(connection)
  const pending = pendingMigrations(readMigrations(postgresMigrations), applied)
  return {
    applied: applied.map(({ name, applied_at }) => ({ name, appliedAt: applied_at })),
    pending: pending.map(({ name }) => name),
  }
}

async function tablesOf(connection: Connection): Promise<readonly TableShape[]> {
  const { rows } = await connection.query<{ name: string; columns: string[]; key: string[] }>(
    `SELECT relname::text COLLATE "C" AS name,
       ARRAY(SELECT attname::text COLLATE "C" FROM pg_attribute
         WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped ORDER BY 1) AS columns,
       ARRAY(SELECT attname::text FROM pg_index CROSS JOIN unnest(indkey) WITH ORDINALITY AS part (number, place)
         JOIN pg_attribute ON attrelid = indrelid AND attnum = number
         WHERE indrelid = t.oid AND indisprimary ORDER BY place) AS key
     FROM pg_class t
     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`,
  )
  return rows
}

async function partitionsOf(connection: Connection): Promise<readonly Partition[]> {
  const { rows } = await connection.query<Partition & { table: string }>(
    `SELECT inhparent::regclass::text AS table, part.relname::text AS name,
       pg_get_expr(part.relpartbound, part.oid) AS bounds, pg_total_relation_size(part.oid) AS bytes
     FROM pg_inherits JOIN pg_class part ON part.oid = inhrelid JOIN pg_class whole ON whole.oid = inhparent
     WHERE whole.relnamespace = current_schema()::regnamespace AND whole.relkind = 'p' AND part.relkind = 'r'
     ORDER BY inhparent::regclass::text COLLATE "C", part.relname::text COLLATE "C"`,
  )
  return rows
}
