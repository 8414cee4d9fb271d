import type pg from 'pg'
import { ImagegateError } from '../errors.ts'
import { commitBatch } from './postgres-batch.ts'
import { beginReading, type Connection, inTransaction, openPool } from './postgres-connection.ts'
import { RequestCounts } from './postgres-counts.ts'
import { postgresError, reasonOf } from './postgres-errors.ts'
import { migratePostgres, requireMigrated } from './postgres-migrate.ts'
import { makeNextPartitions } from './postgres-partitions.ts'
import { runOn } from './postgres-reader.ts'
import { type Reading, withReplica } from './postgres-replica.ts'
import { resumeOn } from './postgres-resume.ts'
import { sealOldest, sealPortion } from './postgres-seal.ts'
import { Sealer } from './postgres-sealer.ts'
import { Upkeep } from './postgres-upkeep.ts'
import { storeReader } from './reader.ts'
import { Room } from './room.ts'
import type { Store, StoreLog, StoreReader } from './store.ts'
import { isRecord } from './write-request.ts'
import { Writer } from './writer.ts'

/** Where a PostgreSQL store lives. */
export interface PostgresOptions {
  /** URL of the database, which may hold a password. */
  readonly url: string
  /** URL of a replica that the audit trail is read from. */
  readonly readUrl?: string
  readonly log?: StoreLog
  /** Verdicts that may wait to be sealed; above it, recording answers OVERLOADED. */
  readonly maxUnsealed?: number
}

/** Connections of one process: batches go one after another, so that one writes them, one seals, one keeps up, one counts. */
const sizes = { writing: 4, reading: 8 }

/** Opens a database for reading and writing, migrating it first. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const { url, log, maxUnsealed = 100_000 } = options
  const writing = openPool({ url, size: sizes.writing, log })
  const reading = new ReadingPools(options)
  try {
    await migratePostgres(url)
    await inTransaction(writing, beginReading, (connection) => warnOfTraps(connection, log))
    await makeNextPartitions(writing)
    // Verdicts from before the chain, should the migration have found any.
    for (let sealed = await sealOldest(writing); sealed !== 'busy' && sealed.length === sealPortion; ) {
      sealed = await sealOldest(writing)
    }
    await resumeOn(writing, log)
    return storeOf(writing, reading, { log, maxUnsealed })
  } catch (error) {
    await Promise.all([writing.end(), reading.close()])
    throw postgresError(error)
  }
}

/** Opens a migrated database for reading alone. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openPostgresReader(options: PostgresOptions): Promise<StoreReader> {
  const reading = new ReadingPools(options)
  try {
    await inTransaction(reading.primary, beginReading, (connection) => requireMigrated(connection))
    return { ...reading.methods, close: () => reading.close() }
  } catch (error) {
    await reading.close()
    throw postgresError(error)
  }
}

/** Only a query tells whether the database was written. */
const neverTold = () => undefined

/** What reads: from the primary, and from the replica where there is one. */
class ReadingPools {
  readonly primary: pg.Pool
  readonly methods: Reading
  readonly #pools: pg.Pool[] = []
  #closing: Promise<void> | undefined

  constructor({ url, readUrl, log }: PostgresOptions) {
    this.primary = this.#open(url, log)
    const primary = this.#methodsOf(this.primary)
    const replica = readUrl === undefined ? undefined : this.#methodsOf(this.#open(readUrl, log))
    this.methods = replica === undefined ? primary : withReplica(primary, replica, log)
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#pools.map((pool) => pool.end())).then(() => undefined)
    return this.#closing
  }

  #open(url: string, log: StoreLog | undefined): pg.Pool {
    const pool = openPool({ url, size: sizes.reading, log })
    this.#pools.push(pool)
    return pool
  }

  #methodsOf(pool: pg.Pool): Reading {
    const run = runOn(pool)
    return storeReader(
      'postgres',
      async (tenant, queries) => {
        if (this.#closing !== undefined) throw new ImagegateError('STORE_UNAVAILABLE', 'The store is closed.')
        return await run(tenant, queries)
      },
      neverTold,
    )
  }
}

function storeOf(
  writing: pg.Pool,
  reading: ReadingPools,
  { log, maxUnsealed }: { readonly log: StoreLog | undefined; readonly maxUnsealed: number },
): Store {
  const sealer = new Sealer({ pool: writing, log })
  const room = new Room()
  const writer = new Writer(async (requests) => {
    try {
      const outcomes = await commitBatch(writing, requests, room.bytes)
      room.committed(requests, outcomes)
      if (requests.some((one, index) => isRecord(one) && outcomes[index]?.kind === 'recorded')) sealer.wake()
      return outcomes
    } catch (error) {
      room.failed(requests)
      log?.warn(reasonOf(error), 'The database did not take a batch')
      throw postgresError(error)
    }
  })
  const upkeep = new Upkeep(writing, log)
  const counts = new RequestCounts(writing)
  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    // Reading ends at once; what was accepted for writing is finished.
    await Promise.all([reading.close(), writer.finish(), upkeep.close(), counts.close()])
    await sealer.close()
    await writing.end()
  }
  return {
    ...reading.methods,
    async idempotent(tenant, key) {
      const found = await reading.methods.idempotent(tenant, key)
      // Answering it acknowledges it, so it must be where the standby is, too: its own commit may never have been confirmed.
      if (found !== undefined) await writer.confirm()
      return found
    },
    async record(record) {
      if (sealer.state.waiting > maxUnsealed) {
        throw new ImagegateError('OVERLOADED', 'Too many verdicts wait to be sealed in the chain.')
      }
      return await writer.record(record)
    },
    acceptBundle: (bundle) => writer.acceptBundle(bundle),
    countRequest: (caller, windowMs) => counts.add(caller, windowMs),
    changeApiKeys: (change) => writer.changeApiKeys(change),
    recordRead: (tenant, read) => writer.recordRead(tenant, read),
    addCheckpoint: (checkpoint) => writer.addCheckpoint(checkpoint),
    sealing: () => sealer.state,
    async check() {
      await inTransaction(reading.primary, beginReading, (connection) => connection.query('SELECT 1')).catch(
        (error) => {
          throw postgresError(error)
        },
      )
      await writer.check()
    },
    close() {
      closing ??= close()
      return closing
    },
  }
}

/** What an operator would want to know of the server before relying on it. */
async function warnOfTraps(connection: Connection, log: StoreLog | undefined): Promise<void> {
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
