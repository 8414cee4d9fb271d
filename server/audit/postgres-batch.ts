import type pg from 'pg'
import { changeApiKeys } from './postgres-api-keys.ts'
import { acceptBundle } from './postgres-bundle.ts'
import { addCheckpoint } from './postgres-checkpoint.ts'
import { beginWriting, type Connection, inTransaction, setTenant } from './postgres-connection.ts'
import { isRefusal, isTransient, sqlState } from './postgres-errors.ts'
import { insertVerdicts, keepDocuments, keepPolicies } from './postgres-insert.ts'
import { claimKeys } from './postgres-keys.ts'
import { insertReads } from './postgres-reads.ts'
import { keepShadows } from './postgres-shadow.ts'
import type { RecordRows } from './rows.ts'
import type { AuditReadRow } from './tables.ts'
import { isRead, isRecord, type StoreFailure, type WriteOutcome, type WriteRequest } from './write-request.ts'

/** What goes together with its like, and on its own only when the database refuses some of it. */
type Refusable = RecordRows | { readonly read: AuditReadRow }
type Write = (connection: Connection, requests: readonly Refusable[]) => Promise<readonly WriteOutcome[]>

/**
 * Commits one batch in one transaction, one outcome per request; rejects when it is not known to be committed. All
 * records and reads go together; only when the database refuses one of them, each goes on its own, so that it fails alone. A
 * deadlock with another replica is tried again once. A check in it writes as many bytes as are given.
 */
export async function commitBatch(
  pool: pg.Pool,
  requests: readonly WriteRequest[],
  checkBytes = 0,
): Promise<readonly WriteOutcome[]> {
  let again = true
  for (let write: Write = writeTogether; ; ) {
    try {
      return await commitWith(pool, requests, write, checkBytes)
    } catch (error) {
      if (isRefusal(error) && write === writeTogether) write = writeEach
      else if (isTransient(error) && again) again = false
      else throw error
    }
  }
}

function commitWith(pool: pg.Pool, requests: readonly WriteRequest[], write: Write, checkBytes: number) {
  return inTransaction(pool, beginWriting, async (connection) => {
    await setTenant(connection, '*')
    const refusable = requests.filter((request) => isRecord(request) || isRead(request))
    const written = await write(connection, refusable)
    const outcomes = new Map<WriteRequest, WriteOutcome>()
    for (const [index, request] of refusable.entries()) outcomes.set(request, written[index] ?? { kind: 'recorded' })
    for (const request of requests) {
      if (request === 'check' || isRecord(request) || isRead(request)) continue
      if ('bundle' in request) outcomes.set(request, await acceptBundle(connection, request.bundle))
      else if ('apiKey' in request) outcomes.set(request, await changeApiKeys(connection, request.apiKey))
      else outcomes.set(request, await addCheckpoint(connection, request.checkpoint))
    }
    // Last, because it is one row that all replicas write.
    // A first verdict may be visible here and not yet on the standby; a commit after it is confirmed after it.
    const replays = written.some(({ kind }) => kind === 'replayed')
    if (requests.includes('check') || replays) await touch(connection, checkBytes)
    return requests.map((request) => outcomes.get(request) ?? { kind: 'recorded' as const })
  })
}

async function writeTogether(connection: Connection, requests: readonly Refusable[]): Promise<readonly WriteOutcome[]> {
  await insertReads(
    connection,
    requests.filter(isRead).map(({ read }) => read),
  )
  const records = requests.filter(isRecord)
  const written = new Map<Refusable, WriteOutcome>()
  for (const [index, outcome] of (await writeRecords(connection, records)).entries()) {
    const record = records[index]
    if (record !== undefined) written.set(record, outcome)
  }
  return requests.map((request) => written.get(request) ?? { kind: 'recorded' })
}

async function writeRecords(connection: Connection, records: readonly RecordRows[]): Promise<readonly WriteOutcome[]> {
  if (records.length === 0) return []
  const repeated = await claimKeys(connection, records)
  const fresh = records.filter((record) => !repeated.has(record))
  if (fresh.length > 0) {
    await keepPolicies(
      connection,
      fresh.flatMap(({ policies }) => policies),
    )
    await keepDocuments(connection, fresh)
    await insertVerdicts(connection, fresh)
  }
  const shadows = await keepShadows(connection, fresh)
  return records.map((record) => {
    const shadow = shadows.get(record)
    return repeated.get(record) ?? { kind: 'recorded', ...(shadow === undefined ? {} : { shadow }) }
  })
}

async function writeEach(connection: Connection, requests: readonly Refusable[]): Promise<readonly WriteOutcome[]> {
  const outcomes: WriteOutcome[] = []
  for (const request of requests) {
    await connection.query('SAVEPOINT record')
    try {
      outcomes.push(...(await writeTogether(connection, [request])))
    } catch (error) {
      if (!isRefusal(error)) throw error
      await connection.query('ROLLBACK TO record')
      outcomes.push({ kind: 'failed', failure: failureOf(request, error) })
    }
    await connection.query('RELEASE record')
  }
  return outcomes
}

async function touch(connection: Connection, bytes: number): Promise<void> {
  await connection.query(
    `INSERT INTO health (id, checked_at, room) VALUES (1, $1, decode(repeat('00', $2), 'hex'))
     ON CONFLICT (id) DO UPDATE SET checked_at = excluded.checked_at, room = excluded.room`,
    [Date.now(), bytes],
  )
}

function failureOf(request: Refusable, error: unknown): StoreFailure {
  const what = 'read' in request ? `Read ${request.read.id}` : `Verdict ${request.verdict.id}`
  return { code: 'INTERNAL', detail: `${what} was refused by the database: ${sqlState(error)}.` }
}
