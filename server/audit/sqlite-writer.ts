import { statSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { Database } from 'better-sqlite3'
import { ImagegateError } from '../errors.ts'
import { Room } from './room.ts'
import { type CommitBatch, prepareCommit, purgeKeys } from './sqlite-batch.ts'
import { openForWriting, setPatience } from './sqlite-connection.ts'
import { inService, isDamage, sqliteCode, storeFailure } from './sqlite-errors.ts'
import { migrateSqlite, requireMigrated } from './sqlite-migrate.ts'
import { sealWaiting } from './sqlite-seal.ts'
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
  /** Which file was opened: what stands at its path later may be another. */
  readonly identity: string
}

const hour = 3_600_000
const keepKeys = 24 * hour
const purgeAtOnce = 2000
const purgeEvery = 60_000

const { file }: WriterData = workerData
let connection: Connection | undefined
let nextPurge = 0
/** Why nothing more is written, once the database was found damaged. */
let damage: StoreFailure | undefined
/** The last batch met another process's lock. */
let locked = false
const room = new Room()

function connect(prepare: (db: Database) => void): Connection {
  const db = openForWriting(file)
  try {
    prepare(db)
    return { db, commit: prepareCommit(db), identity: identityOf(file) }
  } catch (error) {
    db.close()
    throw error
  }
}

function identityOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev}:${ino}`
}

/** Without this a database that was moved away would go on taking verdicts that nobody finds again. */
function requirePresent({ identity }: Connection): void {
  const found = statSync(file, { throwIfNoEntry: false }) && identityOf(file)
  if (found === identity) return
  const what = found === undefined ? 'is gone' : 'is another one now'
  throw new ImagegateError('STORE_UNAVAILABLE', `The database file ${what}: put it back, or start the service again.`)
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
function supersede(): void {
  try {
    connection?.commit(['check'])
  } catch {
    disconnect()
  }
}

function recover(error: unknown, requests: readonly WriteRequest[]): void {
  // Another process's lock kept the transaction from starting; asking again would only wait once more.
  if (sqliteCode(error)?.startsWith('SQLITE_BUSY')) {
    if (connection !== undefined) setPatience(connection.db, false)
    locked = true
  } else if (isDamage(error)) damage = inService(error)
  else {
    room.failed(requests)
    supersede()
  }
}

/** Commits a batch, unless the file is not the one that was opened or was found damaged: writing would make that worse. */
function commit(requests: readonly WriteRequest[]): WriterAnswer {
  if (damage !== undefined) return { kind: 'failed', failure: damage }
  connection ??= connect(requireMigrated)
  requirePresent(connection)
  const outcomes = connection.commit(requests, room.bytes)
  if (locked) setPatience(connection.db, true)
  locked = false
  room.committed(requests, outcomes)
  return { kind: 'committed', outcomes }
}

function answer(message: WriterAnswer): void {
  parentPort?.postMessage(message)
}

/** Milliseconds since 1970, by a clock that does not follow the system's when that jumps ahead: keys are kept their time. */
function steadyNow(): number {
  return Math.min(Date.now(), performance.timeOrigin + performance.now())
}

/** Expired keys go after a batch was answered; a full portion is followed by the next one soon. */
function purge(): void {
  if (connection === undefined || damage !== undefined || performance.now() < nextPurge) return
  let pause = purgeEvery
  try {
    const purged = purgeKeys(connection.db, steadyNow() - keepKeys, purgeAtOnce)
    if (purged === purgeAtOnce) pause /= 60
  } catch {
    disconnect()
  }
  nextPurge = performance.now() + pause
}

parentPort?.on('message', (request: WriterRequest) => {
  if (request === 'close') {
    disconnect()
    answer({ kind: 'closed' })
    parentPort?.close()
    return
  }
  try {
    answer(commit(request))
  } catch (error) {
    recover(error, request)
    answer({ kind: 'failed', failure: inService(error) })
  }
  purge()
})

try {
  connection = connect((db) => {
    migrateSqlite(db)
    sealWaiting(db)
  })
  // SQLite opens a file that may not be written, too, for reading alone.
  connection.db.exec('BEGIN IMMEDIATE; UPDATE health SET checked_at = checked_at; ROLLBACK')
  answer({ kind: 'opened' })
} catch (error) {
  disconnect()
  answer({ kind: 'failed', failure: storeFailure(error) })
}
