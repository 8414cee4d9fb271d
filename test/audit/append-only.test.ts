import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { type Test, test } from 'tap'
import { toRows } from '../../server/audit/rows.ts'
import { openSqliteReader } from '../../server/audit/sqlite.ts'
import { prepareCommit, purgeKeys } from '../../server/audit/sqlite-batch.ts'
import { createDatabaseFile, openForWriting } from '../../server/audit/sqlite-connection.ts'
import { migrateSqlite } from '../../server/audit/sqlite-migrate.ts'
import { makeRecord } from './records.ts'

const record = makeRecord({
  failed: ['a.b'],
  unknown: ['a.c'],
  missing: ['/os'],
  idempotency: { key: 'k', fingerprint: 'f' },
})

/** A database with one record, and its file. */
function database(t: Test): { db: Database; file: string } {
  const file = join(t.testdir(), 'imagegate.db')
  createDatabaseFile(file)
  const db = openForWriting(file)
  t.teardown(() => db.close())
  migrateSqlite(db)
  t.same(prepareCommit(db)([toRows(record)]), [{ kind: 'recorded' }])
  db.exec("INSERT INTO checkpoints VALUES ('default', 1, 1, 'a', 'b', 'c', 'd', 'e')")
  db.exec("INSERT INTO api_keys VALUES ('k', 'default', 'reader', 'n', 'd', 'c', '2030', '2029')")
  db.exec("INSERT INTO audit_reads VALUES ('default', 'i', 'a', 'c', 'r', 'o', NULL, '{}', 200, 1, 'x')")
  db.exec("INSERT INTO unsealed VALUES ('default', 'waits', 'x')")
  // As any other program would open it.
  db.pragma('recursive_triggers = OFF')
  return { db, file }
}

test('no statement changes, deletes or replaces what was recorded', (t) => {
  const { db } = database(t)
  const refused = [
    "UPDATE verdicts SET outcome = 'ready'",
    'UPDATE verdicts SET body = body',
    'DELETE FROM verdicts',
    'INSERT OR REPLACE INTO verdicts SELECT * FROM verdicts',
    "REPLACE INTO verdicts (tenant, id, recorded_at, outcome, family, policy_version, policy_digest, facts_digest, document_digest, record_digest, body) SELECT tenant, id, recorded_at, 'ready', family, policy_version, policy_digest, facts_digest, document_digest, record_digest, body FROM verdicts",
    "INSERT INTO verdicts SELECT * FROM verdicts WHERE true ON CONFLICT DO UPDATE SET outcome = 'ready'",
    "UPDATE findings SET effect = 'none'",
    "UPDATE OR REPLACE findings SET rule = 'a.c'",
    'DELETE FROM findings',
    "INSERT OR REPLACE INTO findings SELECT tenant, rule, result, verdict_id, severity, 'none' FROM findings",
    "UPDATE missing_facts SET pointer = '/none'",
    'DELETE FROM missing_facts',
    "UPDATE policy_bodies SET body = ''",
    'DELETE FROM policy_bodies',
    "INSERT OR REPLACE INTO policy_bodies SELECT digest, family, version, '' FROM policy_bodies",
    "UPDATE fact_documents SET body = ''",
    'UPDATE fact_documents SET body = NULL',
    "UPDATE fact_documents SET body = NULL, removed_at = '2030-01-01T00:00:00Z'",
    "UPDATE fact_documents SET removed_at = '2030-01-01T00:00:00Z', removal_reason = 'age'",
    "UPDATE fact_documents SET body = NULL, removed_at = '2030-01-01T00:00:00Z', removal_reason = 'age', digest = 'x'",
    'DELETE FROM fact_documents',
    'UPDATE daily_counts SET verdicts = verdicts - 1',
    "UPDATE daily_counts SET verdicts = verdicts + 1, day = '2020-01-01'",
    'DELETE FROM daily_counts',
    'INSERT OR REPLACE INTO daily_counts SELECT tenant, result, day, subject, family, 7 FROM daily_counts',
    "UPDATE chain SET record_digest = 'x'",
    'DELETE FROM chain',
    'INSERT OR REPLACE INTO chain SELECT * FROM chain',
    "INSERT INTO chain VALUES ('default', 3, 'x', 'x', 'x', 'x')",
    "INSERT OR REPLACE INTO chain SELECT tenant, 2, verdict_id, 'x', link, 'x' FROM chain",
    "UPDATE checkpoints SET at = 'x'",
    'DELETE FROM checkpoints',
    'INSERT OR REPLACE INTO checkpoints SELECT * FROM checkpoints',
    "INSERT INTO checkpoints VALUES ('default', 3, 3, 'x', 'x', 'x', 'x', 'x')",
    "INSERT INTO checkpoints VALUES ('default', 2, 1, 'x', 'x', 'x', 'x', 'x')",
    'DELETE FROM api_keys',
    "UPDATE api_keys SET role = 'admin'",
    "UPDATE api_keys SET tenant = 'other'",
    "UPDATE api_keys SET digest = 'x'",
    'UPDATE api_keys SET revoked_at = NULL',
    'UPDATE api_keys SET expires_at = NULL',
    "UPDATE api_keys SET expires_at = '2031'",
    "INSERT OR REPLACE INTO api_keys VALUES ('k', 'default', 'admin', 'n', 'd', 'c', NULL, NULL)",
    "UPDATE audit_reads SET caller = 'x'",
    'UPDATE audit_reads SET status = status',
    'DELETE FROM audit_reads',
    "INSERT OR REPLACE INTO audit_reads SELECT tenant, id, at, 'x', roles, operation, verdict_id, request, status, answered, request_id FROM audit_reads",
    "UPDATE unsealed SET verdict_id = 'x'",
    'DELETE FROM unsealed',
    "INSERT OR REPLACE INTO fact_documents SELECT tenant, digest, facts_digest, first_recorded_at, NULL, NULL, '' FROM fact_documents",
  ]
  for (const sql of refused) t.throws(() => db.exec(sql), { code: /^SQLITE_CONSTRAINT/ }, sql)
  t.match(db.prepare('SELECT body FROM verdicts').all(), [{ body: record.body }])
  t.equal(db.prepare('SELECT * FROM findings').all().length, 2, 'only findings that are no pass')
  t.end()
})

test('retention removes a document’s body and leaves digest, time and reason; sent again, it is back', async (t) => {
  const { db, file } = database(t)
  const digest = record.verdict.documentDigest
  const removal = { removed_at: '2030-01-01T00:00:00.000Z', removal_reason: 'older than 400 days' }
  const reader = await openSqliteReader({ file })
  t.teardown(() => reader.close())
  db.prepare('UPDATE fact_documents SET body = NULL, removed_at = ?, removal_reason = ?').run(...Object.values(removal))
  t.equal(await reader.document('default', digest), 'expired')
  const { id } = record.verdict
  t.same(await reader.records('default', [id]), [{ id, body: record.body, document: 'expired' }])
  t.match(db.prepare('SELECT * FROM fact_documents').all(), [{ digest, ...removal, body: null }])
  prepareCommit(db)([toRows(makeRecord())])
  t.equal(await reader.document('default', digest), record.document)
  t.match(db.prepare('SELECT * FROM fact_documents').all(), [{ digest, ...removal }])
  db.prepare('UPDATE fact_documents SET body = NULL, removed_at = ?, removal_reason = ?').run(
    '2031-01-01T00:00:00Z',
    'age',
  )
  t.equal(await reader.document('default', digest), 'expired')
})

test('idempotency keys go by age, a bounded number at once', (t) => {
  const { db } = database(t)
  const insert = db.prepare("INSERT INTO idempotency_keys VALUES ('default', ?, 'f', ?, ?)")
  for (let age = 1; age <= 10; age += 1) insert.run(`old-${age}`, record.verdict.id, Date.now() - age * 3_600_000)
  t.equal(purgeKeys(db, Date.now() - 5.5 * 3_600_000, 3), 3)
  t.equal(purgeKeys(db, Date.now() - 5.5 * 3_600_000, 3), 2)
  t.equal(purgeKeys(db, Date.now() - 5.5 * 3_600_000, 3), 0)
  t.equal(db.prepare('SELECT * FROM idempotency_keys').all().length, 6)
  t.end()
})
