import { sql } from 'kysely'
import { resumeAfter } from './identity.ts'
import { storeReader } from './reader.ts'
import { createDatabaseFile } from './sqlite-connection.ts'
import { storeError } from './sqlite-errors.ts'
import { SqliteQueries } from './sqlite-reader.ts'
import { WriterThread } from './sqlite-thread.ts'
import type { Store, StoreLog, StoreReader } from './store.ts'
import { Writer } from './writer.ts'

/** Where a SQLite store lives. */
export interface SqliteOptions {
  /** Path of the database file; its directory is made when there is none. */
  readonly file: string
  readonly log?: StoreLog
}

/** Opens a database for reading and writing, migrating it first. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openSqliteStore({ file, log }: SqliteOptions): Promise<Store> {
  const thread = new WriterThread({ file }, log)
  const queries = new SqliteQueries(file)
  try {
    createDatabaseFile(file)
    await thread.start()
    queries.open()
    await resume(queries, log)
    return storeOf(thread, queries)
  } catch (error) {
    await thread.close().catch(() => undefined)
    throw storeError(error)
  }
}

/** Identities go on after the verdict that was recorded last, whatever the clock says now. */
async function resume(queries: SqliteQueries, log: StoreLog | undefined): Promise<void> {
  const { rows } = await queries.run((db) =>
    sql<{ id: string }>`SELECT id FROM verdicts ORDER BY rowid DESC LIMIT 1`.execute(db),
  )
  resumeAfter(rows[0]?.id, log)
}

/** Opens a migrated database, in use or not, for reading alone. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openSqliteReader({ file }: Pick<SqliteOptions, 'file'>): Promise<StoreReader> {
  const queries = new SqliteQueries(file)
  queries.open()
  return { ...readerOf(queries), close: () => queries.close() }
}

function readerOf(queries: SqliteQueries): Omit<StoreReader, 'close'> {
  return storeReader(
    'sqlite',
    (_, run) => queries.run(run),
    () => queries.version(),
  )
}

function storeOf(thread: WriterThread, queries: SqliteQueries): Store {
  const reader = readerOf(queries)
  const writer = new Writer((requests) => thread.commit(requests))
  return {
    ...reader,
    record: (record) => writer.record(record),
    acceptBundle: (bundle) => writer.acceptBundle(bundle),
    changeApiKeys: (change) => writer.changeApiKeys(change),
    recordRead: (tenant, read) => writer.recordRead(tenant, read),
    addCheckpoint: (checkpoint) => writer.addCheckpoint(checkpoint),
    sealing: () => ({ waiting: 0, oldestSeconds: 0, sealed: writer.recorded }),
    async check() {
      await queries.check()
      await writer.check()
    },
    async close() {
      await writer.finish()
      // The reader first: the last connection to close tidies the log away, and only the writer can.
      await queries.close()
      await thread.close()
    },
  }
}
