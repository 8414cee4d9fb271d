import type { Database } from 'better-sqlite3'
import { textPlace } from './identity.ts'
import type { RecordRows } from './rows.ts'
import { prepareShadow } from './sqlite-shadow.ts'
import type { IdempotentVerdict, RecordResult } from './store.ts'

/** Inserts the rows of one record, inside a transaction, and says what became of it. Throws SQLite's error. */
export type InsertRecord = (rows: RecordRows) => RecordResult

/** Prepares the hot path's statements on a writing connection. */
export function prepareInsert(db: Database): InsertRecord {
  const selectKey = db.prepare<[string, string], IdempotentVerdict>(
    `SELECT k.fingerprint, v.id, v.body FROM idempotency_keys k
     JOIN verdicts v ON v.tenant = k.tenant AND v.id = k.verdict_id WHERE k.tenant = ? AND k.key = ?`,
  )
  const insertKey = db.prepare(
    'INSERT INTO idempotency_keys (tenant, key, fingerprint, verdict_id, created_at) VALUES (?, ?, ?, ?, ?)',
  )
  const insertVerdict = db.prepare(
    `INSERT INTO verdicts (tenant, id, recorded_at, outcome, family, policy_version, policy_digest, os_type, os_id,
       os_version, image_name, image_digest, facts_digest, document_digest, record_digest, body, caller, request_id)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const insertFinding = db.prepare(
    'INSERT INTO findings (tenant, rule, result, verdict_id, severity, effect) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const insertMissing = db.prepare('INSERT INTO missing_facts (tenant, pointer, verdict_id) VALUES (?, ?, ?)')
  const insertKind = db.prepare('INSERT INTO finding_kinds (tenant, severity, effect, verdict_id) VALUES (?, ?, ?, ?)')
  const keepText = prepareImageText(db)
  const keepDocument = prepareDocument(db)
  const keepPolicy = preparePolicy(db)
  const keepShadow = prepareShadow(db)

  return (rows) => {
    const { verdict: v, idempotency } = rows
    const first = idempotency && selectKey.get(v.tenant, idempotency.key)
    if (first) {
      const same = first.fingerprint === idempotency.fingerprint
      return same ? { kind: 'replayed', id: first.id, body: first.body } : { kind: 'conflict' }
    }
    for (const policy of rows.policies) keepPolicy(policy)
    keepDocument(rows)
    insertVerdict.run(
      v.tenant,
      v.id,
      v.recorded_at,
      v.outcome,
      v.family,
      v.policy_version,
      v.policy_digest,
      v.os_type,
      v.os_id,
      v.os_version,
      v.image_name,
      v.image_digest,
      v.facts_digest,
      v.document_digest,
      v.record_digest,
      v.body,
      v.caller,
      v.request_id,
    )
    for (const f of rows.findings) insertFinding.run(f.tenant, f.rule, f.result, f.verdict_id, f.severity, f.effect)
    for (const k of rows.kinds) insertKind.run(k.tenant, k.severity, k.effect, k.verdict_id)
    if (rows.imageText !== undefined) keepText(rows.imageText, v)
    for (const pointer of rows.missing) insertMissing.run(v.tenant, pointer, v.id)
    if (idempotency) insertKey.run(v.tenant, idempotency.key, idempotency.fingerprint, v.id, Date.now())
    const shadow = keepShadow(rows)
    return shadow === undefined ? { kind: 'recorded' } : { kind: 'recorded', shadow }
  }
}

/** Prepares the statement by which a verdict is found by the text in its image's name. */
export function prepareImageText(db: Database): (text: string, verdict: { tenant: string; id: string }) => void {
  const insert = db.prepare(
    `INSERT INTO image_texts (rowid, text, tenant, verdict_id)
     SELECT coalesce((SELECT max(id) + 1 FROM image_texts_content WHERE id >= first AND id < first + 1024), first),
       ?, ?, ? FROM (SELECT (CAST(? AS INTEGER) << 22) + (CAST(? AS INTEGER) << 10) AS first)`,
  )
  return (text, { tenant, id }) => {
    insert.run(text, tenant, id, ...textPlace(id))
  }
}

/** A document is there once; one whose body retention removed gets it back when it is sent again. */
function prepareDocument(db: Database): (rows: RecordRows) => void {
  const select = db.prepare<[string, string], { gone: number }>(
    'SELECT body IS NULL AS gone FROM fact_documents WHERE tenant = ? AND digest = ?',
  )
  const insert = db.prepare(
    'INSERT INTO fact_documents (tenant, digest, facts_digest, first_recorded_at, body) VALUES (?, ?, ?, ?, ?)',
  )
  const restore = db.prepare('UPDATE fact_documents SET body = ? WHERE tenant = ? AND digest = ?')
  return ({ verdict: { tenant, document_digest, facts_digest, recorded_at }, document }) => {
    const there = select.get(tenant, document_digest)
    if (there === undefined) insert.run(tenant, document_digest, facts_digest, recorded_at, document)
    else if (there.gone === 1) restore.run(document, tenant, document_digest)
  }
}

function preparePolicy(db: Database): (policy: RecordRows['policies'][number]) => void {
  const select = db.prepare<[string], unknown>('SELECT 1 FROM policy_bodies WHERE digest = ?')
  const insert = db.prepare('INSERT INTO policy_bodies (digest, family, version, body) VALUES (?, ?, ?, ?)')
  return ({ digest, family, version, body }) => {
    if (select.get(digest) === undefined) insert.run(digest, family, version, body)
  }
}
