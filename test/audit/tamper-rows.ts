import type { KeyObject } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import { type ChainEntry, type ChainHead, emptyHead, nextEntry, signCheckpoint } from '../../server/audit/chain.ts'
import { toRows } from '../../server/audit/rows.ts'
import { prepareImageText } from '../../server/audit/sqlite-insert.ts'
import type { VerdictRecord } from '../../server/audit/store.ts'
import { DailyCounts, tallyOfBody } from '../../server/audit/tally.ts'
import type { Checkpoint } from '../../server/documents/checkpoint.ts'

/** A row as better-sqlite3 reads it. */
export type Row = Record<string, string | number | null>

/** The tables that verification claims to cover, with their keys; both databases have them. */
export const coveredTables: Readonly<Record<string, readonly string[]>> = {
  verdicts: ['tenant', 'id'],
  findings: ['tenant', 'rule', 'result', 'verdict_id'],
  finding_kinds: ['tenant', 'severity', 'effect', 'verdict_id'],
  missing_facts: ['tenant', 'pointer', 'verdict_id'],
  daily_counts: ['tenant', 'result', 'day', 'subject', 'family'],
  fact_documents: ['tenant', 'digest'],
  policy_bodies: ['digest'],
  chain: ['tenant', 'sequence'],
  checkpoints: ['tenant', 'sequence'],
}

/** Those of SQLite. */
export const sqliteTables: typeof coveredTables = { ...coveredTables, image_texts: ['tenant', 'verdict_id'] }

/** A number from 0 to below `below`. */
export function pick(random: () => number, below: number): number {
  return Math.floor(random() * below)
}

/** One of several. */
export function choose<T>(random: () => number, from: readonly T[]): T {
  const one = from[pick(random, from.length)]
  if (one === undefined) throw new Error('There is nothing to choose from.')
  return one
}

/** The rows of a table for which a condition holds. */
export function rowsOf(db: Database, table: string, where = '1', ...values: readonly unknown[]): Row[] {
  return db.prepare<unknown[], Row>(`SELECT * FROM ${table} WHERE ${where}`).all(...values)
}

/** Any row of a table, which must have one. */
export function randomRow(
  { db, random }: { readonly db: Database; readonly random: () => number },
  table: string,
): Row {
  const { rows } = db.prepare<[], { rows: number }>(`SELECT count(*) AS rows FROM ${table}`).get() ?? { rows: 0 }
  const row = db.prepare<[number], Row>(`SELECT * FROM ${table} LIMIT 1 OFFSET ?`).get(pick(random, rows))
  if (row === undefined) throw new Error(`${table} is empty.`)
  return row
}

/** Inserts a row. */
export function insert(db: Database, table: string, row: Readonly<Row>): void {
  const names = Object.keys(row)
  const marks = names.map(() => '?').join(', ')
  db.prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${marks})`).run(...Object.values(row))
}

/** The condition that finds a row by its key. */
function condition(table: string, row: Row): { text: string; values: unknown[] } {
  const key = sqliteTables[table] ?? []
  return { text: key.map((name) => `${name} = ?`).join(' AND '), values: key.map((name) => row[name]) }
}

/** Changes columns of a row. */
export function update(db: Database, table: string, row: Row, changes: Readonly<Row>): void {
  const { text, values } = condition(table, row)
  const set = Object.keys(changes)
    .map((name) => `${name} = ?`)
    .join(', ')
  db.prepare(`UPDATE ${table} SET ${set} WHERE ${text}`).run(...Object.values(changes), ...values)
}

/** Removes a row. */
export function remove(db: Database, table: string, row: Row): void {
  const { text, values } = condition(table, row)
  db.prepare(`DELETE FROM ${table} WHERE ${text}`).run(...values)
}

/** The entries of a chain, in order. */
export function entries(db: Database, tenant: string): ChainEntry[] {
  return rowsOf(db, 'chain', 'tenant = ? ORDER BY sequence', tenant).map((row) => ({
    tenant,
    sequence: Number(row['sequence']),
    verdictId: String(row['verdict_id']),
    recordDigest: String(row['record_digest']),
    previousLink: String(row['previous_link']),
    link: String(row['link']),
  }))
}

/** An entry as the database holds it. */
function chainRow({ tenant, sequence, verdictId, recordDigest, previousLink, link }: ChainEntry): Row {
  return { tenant, sequence, verdict_id: verdictId, record_digest: recordDigest, previous_link: previousLink, link }
}

/** Counts a tenant's sealed verdicts, as a thorough attacker does after a change of the chain. */
export function countAnew(db: Database, tenant: string): void {
  db.prepare('DELETE FROM daily_counts WHERE tenant = ?').run(tenant)
  const counts = new DailyCounts()
  for (const { body } of rowsOf(db, 'chain JOIN verdicts ON id = verdict_id', 'chain.tenant = ?', tenant)) {
    counts.add(tenant, tallyOfBody(String(body)) ?? '')
  }
  for (const row of counts.take()) insert(db, 'daily_counts', { ...row })
}

/** Writes a tenant's chain as a list says it. */
export function writeChain(db: Database, tenant: string, list: readonly ChainEntry[]): void {
  db.prepare('DELETE FROM chain WHERE tenant = ?').run(tenant)
  for (const entry of list) insert(db, 'chain', chainRow(entry))
  countAnew(db, tenant)
}

/** Seals verdicts anew, in this order, as if it had never been otherwise. */
export function sealAnew(
  tenant: string,
  sealed: readonly Pick<ChainEntry, 'verdictId' | 'recordDigest'>[],
): ChainEntry[] {
  let head: ChainHead = emptyHead
  return sealed.map(({ verdictId, recordDigest }) => {
    const entry = nextEntry(tenant, head, verdictId, recordDigest)
    head = entry
    return entry
  })
}

/** Signs a tenant's checkpoints anew, over the same segments as far as the chain reaches. */
export function signAnew(db: Database, tenant: string, key: KeyObject): void {
  const list = entries(db, tenant)
  const old = rowsOf(db, 'checkpoints', 'tenant = ? ORDER BY sequence', tenant)
  db.prepare('DELETE FROM checkpoints WHERE tenant = ?').run(tenant)
  for (const row of old) {
    const from = Number(row['from_sequence'])
    const links = list.slice(from - 1, Number(row['sequence'])).map(({ link }) => link)
    if (links.length > 0)
      insert(db, 'checkpoints', checkpointRow(signCheckpoint({ tenant, from, links }, String(row['at']), key)))
  }
}

/** A checkpoint as the database holds it. */
export function checkpointRow({ schema: _, from, ...rest }: Checkpoint): Row {
  return { ...rest, from_sequence: from }
}

/** Everything of a verdict that a thorough attacker takes away. */
export function removeVerdict(db: Database, tenant: string, id: string): void {
  db.prepare('DELETE FROM verdicts WHERE tenant = ? AND id = ?').run(tenant, id)
  for (const table of ['findings', 'finding_kinds', 'missing_facts', 'image_texts']) {
    db.prepare(`DELETE FROM ${table} WHERE tenant = ? AND verdict_id = ?`).run(tenant, id)
  }
  db.prepare(
    'DELETE FROM fact_documents WHERE tenant = ? AND digest NOT IN (SELECT document_digest FROM verdicts WHERE tenant = ?)',
  ).run(tenant, tenant)
}

/** Everything of a verdict as the service writes it. */
export function insertRecord(db: Database, record: VerdictRecord): void {
  const { verdict, findings, kinds, missing, policies, imageText } = toRows(record)
  insert(db, 'verdicts', { ...verdict })
  for (const row of findings) insert(db, 'findings', { ...row })
  for (const row of kinds) insert(db, 'finding_kinds', { ...row })
  if (imageText !== undefined) prepareImageText(db)(imageText, verdict)
  for (const pointer of missing)
    insert(db, 'missing_facts', { tenant: verdict.tenant, pointer, verdict_id: verdict.id })
  for (const policy of policies) {
    db.prepare('INSERT OR IGNORE INTO policy_bodies (digest, family, version, body) VALUES (?, ?, ?, ?)').run(
      policy.digest,
      policy.family,
      policy.version,
      policy.body,
    )
  }
  db.prepare(
    'INSERT OR IGNORE INTO fact_documents (tenant, digest, facts_digest, first_recorded_at, body) VALUES (?, ?, ?, ?, ?)',
  ).run(verdict.tenant, verdict.document_digest, verdict.facts_digest, verdict.recorded_at, record.document)
}
