import { parentPort, workerData } from 'node:worker_threads'
import type { Database } from 'better-sqlite3'
import { type CommitBatch, prepareCommit, purgeKeys } from './sqlite-batch.ts'
import { openForWriting } from './sqlite-connection.ts'
import { sqliteCode, storeFailure } from './sqlite-errors.ts'
import { migrateSqlite, requireMigrated } from './sqlite-migrate.ts'
import type { StoreFailure, WriteOutcome, WriteRequest } from './write-request.ts'

/** What the writer is started with. */
export interface WriterData {
  readonly file: string
}

/** What is sent to the writer, one at a time: a batch, or the request to close. */
export type WriterRequest = readonly WriteRequest[] | 'close'

/** What the writer answers: to its start, to a batch, to close, or that the last request came to nothing. */
export type WriterAnswer =
  | { readonly kind: 'opened' }
  | { readonly kind: 'committed'; readonly outcomes: readonly WriteOutcome[] }
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly failure: StoreFailure }

interface Connection {
  readonly db: Database
  readonly commit: CommitBatch
}

const hour = 3_600_000
const keepKeys = 24 * hour
const purgeAtOnce = 2000
const purgeEvery = 60_000

const { file }: WriterData = workerData
let connection: Connection | undefined
let nextPurge = 0

function connect(prepare: (db: Database) => void): Connection {
  const db = openForWriting(file)
  try {
    prepare(db)
    return { db, commit: prepareCommit(db) }
  } catch (error) {
    db.close()
    throw error
  }
}

/** The next batch makes a new connection: it is how the writer recovers from what the old one cannot. */
function disconnect(): void {
  const old = connection
  connection = undefined
  try {
    old?.db.close()
  } catch {
    // What led here is the error that counts.
  }
}

/**
 * A commit that failed in its fsync left its frames in the log. The next commit overwrites them; without one they would
 * come to life when the database is next opened. So a commit is made at once, while the answer still waits, and on the
 * same connection, which knows where the log ended before.
 */
function supersede(error: unknown): void {
  try {
    // Another process's lock kept the transaction from starting; asking again would only wait once more.
    if (!sqliteCode(error)?.startsWith('SQLITE_BUSY')) connection?.commit(['check'])
  } catch {
    disconnect()
  }
}

function attempt(work: () => WriterAnswer, recover: (error: unknown) => void): void {
  try {
    answer(work())
  } catch (error) {
    recover(error)
    answer({ kind: 'failed', failure: storeFailure(error) })
  }
}

function answer(message: WriterAnswer): void {
  parentPort?.postMessage(message)
}

/** Expired keys go after a batch was answered; a full portion is followed by the next one soon. */
function purge(): void {
  const now = Date.now()
  if (connection === undefined || now < nextPurge) return
  try {
    const purged = purgeKeys(connection.db, now - keepKeys, purgeAtOnce)
    nextPurge = now + (purged < purgeAtOnce ? purgeEvery : purgeEvery / 60)
  } catch {
    disconnect()
    nextPurge = now + purgeEvery
  }
}

parentPort?.on('message', (request: WriterRequest) => {
  if (request === 'close') {
    disconnect()
    answer({ kind: 'closed' })
    parentPort?.close()
    return
  }
  attempt(() => {
    connection ??= connect(requireMigrated)
    return { kind: 'committed', outcomes: connection.commit(request) }
  }, supersede)
  purge()
})

attempt(() => {
  connection = connect(migrateSqlite)
  return { kind: 'opened' }
}, disconnect)
