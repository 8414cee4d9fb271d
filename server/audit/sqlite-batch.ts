import type { Database } from 'better-sqlite3'
import { ImagegateError } from '../errors.ts'
import type { RecordRows } from './rows.ts'
import { prepareApiKeys } from './sqlite-api-keys.ts'
import { prepareBundle } from './sqlite-bundle.ts'
import { prepareCheckpoint } from './sqlite-checkpoint.ts'
import { prepareCounts } from './sqlite-counts.ts'
import { isConstraint, sqliteCode } from './sqlite-errors.ts'
import { prepareInsert } from './sqlite-insert.ts'
import { prepareRead } from './sqlite-reads.ts'
import { prepareSeal } from './sqlite-seal.ts'
import type { AuditReadRow } from './tables.ts'
import { isRecord, type StoreFailure, type WriteOutcome, type WriteRequest } from './write-request.ts'

/**
 * Commits one batch, one outcome per request; throws when nothing of it was committed. A check in it writes as many
 * bytes as are given, by default next to none.
 */
export type CommitBatch = (requests: readonly WriteRequest[], checkBytes?: number) => readonly WriteOutcome[]

/**
 * Prepares the commit on a writing connection. A new verdict is sealed and counted in the same commit. A record or read that
 * breaks a constraint fails alone, by its savepoint; every other error takes the whole batch with it.
 */
export function prepareCommit(db: Database): CommitBatch {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const savepoint = db.prepare('SAVEPOINT record')
  const release = db.prepare('RELEASE record')
  const undo = db.prepare('ROLLBACK TO record')
  const insert = prepareInsert(db)
  const chain = prepareSeal(db)
  const counts = prepareCounts(db)
  const accept = prepareBundle(db)
  const changeKeys = prepareApiKeys(db)
  const addCheckpoint = prepareCheckpoint(db)
  const addRead = prepareRead(db)
  const touch = db.prepare(
    `INSERT INTO health (id, checked_at, room) VALUES (1, ?, zeroblob(?))
     ON CONFLICT (id) DO UPDATE SET checked_at = excluded.checked_at, room = excluded.room`,
  )

  const writeRecord = (rows: RecordRows): WriteOutcome => {
    const { tenant, id, record_digest } = rows.verdict
    const result = insert(rows)
    // Last in the savepoint: what failed before took no place in the chain.
    if (result.kind === 'recorded') chain.seal(tenant, id, record_digest)
    return result
  }
  const writeRead = (read: AuditReadRow): WriteOutcome => {
    addRead(read)
    return { kind: 'recorded' }
  }
  const write = (request: WriteRequest, checkBytes: number): WriteOutcome => {
    if (request === 'check') {
      touch.run(Date.now(), checkBytes)
      return { kind: 'recorded' }
    }
    if ('bundle' in request) return accept(request.bundle)
    if ('apiKey' in request) return changeKeys(request.apiKey)
    if ('checkpoint' in request) return addCheckpoint(request.checkpoint)
    savepoint.run()
    try {
      const result = 'read' in request ? writeRead(request.read) : writeRecord(request)
      release.run()
      if (isRecord(request) && result.kind === 'recorded') counts.add(request.verdict.tenant, request.tally)
      return result
    } catch (error) {
      // After an I/O error or a full disk SQLite may have ended the transaction by itself.
      if (!isConstraint(error) || !db.inTransaction) throw error
      undo.run()
      release.run()
      return { kind: 'failed', failure: failureOf(request, error) }
    }
  }

  return (requests, checkBytes = 0) => {
    begin.run()
    chain.begin()
    counts.begin()
    try {
      const outcomes = requests.map((request) => write(request, checkBytes))
      counts.write()
      // Had the transaction ended by itself, a COMMIT would have nothing to say about these rows.
      if (!db.inTransaction) throw new ImagegateError('STORE_UNAVAILABLE', 'The database ended the transaction.')
      commit.run()
      return outcomes
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
}

/** Deletes at most `limit` idempotency keys that are older than a time in milliseconds since 1970, and says how many. */
export function purgeKeys(db: Database, before: number, limit: number): number {
  return db
    .prepare(
      `DELETE FROM idempotency_keys WHERE (tenant, key) IN
         (SELECT tenant, key FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?)`,
    )
    .run(before, limit).changes
}

function failureOf(request: RecordRows | { readonly read: AuditReadRow }, error: unknown): StoreFailure {
  const what = 'read' in request ? `Read ${request.read.id}` : `Verdict ${request.verdict.id}`
  return { code: 'INTERNAL', detail: `${what} was refused by the database: ${sqliteCode(error)}.` }
}
