import type pg from 'pg'
import { ImagegateError } from '../errors.ts'
import { commitBatch } from './postgres-batch.ts'
import { beginReading, inTransaction, openPool } from './postgres-connection.ts'
import { postgresError } from './postgres-errors.ts'
import { migratePostgres, requireMigrated } from './postgres-migrate.ts'
import { makeNextPartitions } from './postgres-partitions.ts'
import { runOn } from './postgres-reader.ts'
import { Upkeep } from './postgres-upkeep.ts'
import { type RunQueries, storeReader } from './reader.ts'
import type { Store, StoreLog, StoreReader } from './store.ts'
import { Writer } from './writer.ts'

/** Where a PostgreSQL store lives. */
export interface PostgresOptions {
  /** URL of the database, which may hold a password. */
  readonly url: string
  readonly log?: StoreLog
}

/** Connections of a replica: batches go one after another, so that writing needs few. */
const sizes = { writing: 2, reading: 8 }

/** Opens a database for reading and writing, migrating it first. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openPostgresStore({ url, log }: PostgresOptions): Promise<Store> {
  const writing = openPool({ url, size: sizes.writing, log })
  const reading = openPool({ url, size: sizes.reading, log })
  try {
    await migratePostgres(url)
    await inTransaction(writing, beginReading, (connection) => warnOfTraps(connection, log))
    await makeNextPartitions(writing)
    return storeOf(writing, reading, log)
  } catch (error) {
    await Promise.all([writing.end(), reading.end()])
    throw postgresError(error)
  }
}

/** Opens a migrated database for reading alone. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openPostgresReader({ url, log }: PostgresOptions): Promise<StoreReader> {
  const pool = openPool({ url, size: sizes.reading, log })
  try {
    await inTransaction(pool, beginReading, (connection) => requireMigrated(connection))
    return { ...storeReader(runOn(pool)), close: () => pool.end() }
  } catch (error) {
    await pool.end()
    throw postgresError(error)
  }
}

function storeOf(writing: pg.Pool, reading: pg.Pool, log: StoreLog | undefined): Store {
  const writer = new Writer((requests) =>
    commitBatch(writing, requests).catch((error) => {
      throw postgresError(error)
    }),
  )
  const upkeep = new Upkeep(writing, log)
  let closing: Promise<void> | undefined
  const run: RunQueries = async (tenant, queries) => {
    if (closing !== undefined) throw new ImagegateError('STORE_UNAVAILABLE', 'The store is closed.')
    return await runOn(reading)(tenant, queries)
  }
  const reader = storeReader(run)
  async function close(): Promise<void> {
    await Promise.all([writer.finish(), upkeep.close()])
    await Promise.all([writing.end(), reading.end()])
  }
  return {
    ...reader,
    record: (record) => writer.record(record),
    acceptBundle: (bundle) => writer.acceptBundle(bundle),
    async check() {
      await reader.policyBody('')
      await writer.check()
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

/** What an operator would want to know of the server before relying on it. */
async function warnOfTraps(connection: pg.PoolClient, log: StoreLog | undefined): Promise<void> {
  const { rows } = await connection.query<{ fsync: string; encoding: string; bypasses: boolean }>(
    `SELECT current_setting('fsync') AS fsync, current_setting('server_encoding') AS encoding,
       (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS bypasses`,
  )
  const [{ fsync, encoding, bypasses } = { fsync: '', encoding: '', bypasses: true }] = rows
  if (encoding !== 'UTF8') {
    throw new ImagegateError('STORE_INCOMPATIBLE', `The database is encoded in ${encoding}; it must be UTF8.`)
  }
  if (fsync !== 'on') log?.warn({}, 'The database server runs without fsync: it may lose verdicts that were answered')
  if (bypasses) log?.warn({}, 'The database role is exempt from row-level security: connect as an ordinary role')
}
