import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Test, test } from 'tap'
import { type ChainHead, emptyHead, nextEntry } from '../../server/audit/chain.ts'
import { openReader, openSnapshot } from '../../server/audit/open.ts'
import { openPostgresStore } from '../../server/audit/postgres.ts'
import { migratePostgres, postgresMigrations } from '../../server/audit/postgres-migrate.ts'
import { toText } from '../../server/audit/postgres-text.ts'
import { toRows } from '../../server/audit/rows.ts'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import { createDatabaseFile, openForWriting } from '../../server/audit/sqlite-connection.ts'
import { migrateSqlite, sqliteMigrations } from '../../server/audit/sqlite-migrate.ts'
import type { Store } from '../../server/audit/store.ts'
import { verifyDatabase } from '../../server/audit/verify-database.ts'
import { AuditProblems } from '../../server/audit/verify-problems.ts'
import type { DatabasePlace } from '../../server/database.ts'
import { noPostgres, queryAt, startPostgres } from '../support/postgres.ts'
import { identityAt, makeRecord } from './records.ts'

/** Migrations up to a number, as an older version of the program had them. */
function olderMigrations(t: Test, from: URL, last: number): URL {
  const directory = join(t.testdir(), 'migrations')
  mkdirSync(directory)
  for (const name of readdirSync(from)) {
    if (Number(name.slice(0, 4)) <= last) copyFileSync(new URL(name, from), join(directory, name))
  }
  return pathToFileURL(`${directory}/`)
}

const backslash = '\\'
const records = [
  makeRecord({ identity: identityAt('2026-03-01T00:00:00Z', 0), failed: ['a.b', 'a.c'], missing: ['/os/id'] }),
  makeRecord({
    identity: identityAt('2026-03-01T00:00:00Z', 1),
    subject: { imageName: `Web-NUL\u0000 ${backslash}u0000 ${backslash}${backslash}` },
    failed: ['a.b'],
    unknown: ['a.d'],
  }),
  makeRecord({ identity: identityAt('2026-03-02T00:00:00Z', 2), tenant: 'acme', warned: ['a.b'], subject: {} }),
  makeRecord({ identity: identityAt('2026-03-02T00:00:00Z', 3), family: 'windows-server' }),
]

type Row = Readonly<Record<string, unknown>>

/** The rows of the records as the seventh migration knew them; the last record is not sealed yet. */
function olderRows(): readonly (readonly [table: string, row: Row])[] {
  const heads = new Map<string, ChainHead>()
  const policies = new Map(records.flatMap((record) => record.policies.map((policy) => [policy.digest, policy])))
  const documents = new Map(records.map((record) => [`${record.verdict.tenant} ${record.document}`, record]))
  return [
    ...[...policies.values()].map(
      ({ digest, family, version, body }) => ['policy_bodies', { digest, family, version, body }] as const,
    ),
    ...[...documents.values()].map(({ verdict, document }) => {
      const { tenant, documentDigest: digest, factsDigest: facts_digest, recordedAt: first_recorded_at } = verdict
      return ['fact_documents', { tenant, digest, facts_digest, first_recorded_at, body: document }] as const
    }),
    ...records.flatMap((record, index) => {
      const { verdict, findings, missing } = toRows(record)
      const { caller: _caller, request_id: _request, ...row } = verdict
      const { tenant, id: verdict_id, record_digest } = verdict
      const entry = nextEntry(tenant, heads.get(tenant) ?? emptyHead, verdict_id, record_digest)
      const { sequence, previousLink: previous_link, link } = entry
      heads.set(tenant, entry)
      const sealed = { tenant, sequence, verdict_id, record_digest, previous_link, link }
      const last = index === records.length - 1
      return [
        ['verdicts', row] as const,
        ...findings.map((finding) => ['findings', { ...finding }] as const),
        ...missing.map((pointer) => ['missing_facts', { tenant, pointer, verdict_id }] as const),
        last ? (['unsealed', { tenant, verdict_id, record_digest }] as const) : (['chain', sealed] as const),
      ]
    }),
  ]
}

/** What an upgraded database must be: every table explained by the records, and found by what is new. */
async function isWhole(t: Test, place: DatabasePlace, open: () => Promise<Store>): Promise<void> {
  const store = await open()
  const until = Date.now() + 10_000
  while ((await store.entries('default', 0, 10)).length < 3 && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await store.close()
  const snapshot = await openSnapshot(place)
  const problems = new AuditProblems()
  const request = { snapshot, keys: [], outside: new Map(), now: Date.now(), progress: () => undefined }
  const tenants = await verifyDatabase(request, problems)
  await snapshot.close()
  t.same(problems.named, [])
  t.match(tenants, [
    { tenant: 'acme', verdicts: 1, entries: 1, unsealed: 0 },
    { tenant: 'default', verdicts: 3, entries: 3, unsealed: 0 },
  ])
  const reader = await openReader(place)
  const idsOf = async (filter: object) =>
    (await reader.list('default', filter, 10)).verdicts.map(({ id }) =>
      records.findIndex(({ verdict }) => verdict.id === id),
    )
  t.same(await idsOf({ caller: 'key:test' }), [3, 1, 0])
  t.same(await idsOf({ text: 'web-nul' }), [1])
  t.same(await idsOf({ severity: 'block' }), [1, 0])
  const period = { from: '2026-03-01', to: '2026-03-02' }
  t.same(await reader.mostFrequent('default', period, 'fail', 10), [
    { subject: 'a.b', verdicts: 2 },
    { subject: 'a.c', verdicts: 1 },
  ])
  await reader.close()
}

test('a SQLite database of an older version is upgraded with all that it holds', async (t) => {
  const older = olderMigrations(t, sqliteMigrations, 7)
  const file = fileURLToPath(new URL('../audit.db', older))
  createDatabaseFile(file)
  const db = openForWriting(file)
  migrateSqlite(db, older)
  for (const [table, row] of olderRows()) {
    const names = Object.keys(row)
    db.prepare(`INSERT INTO ${table} (${names}) VALUES (${names.map(() => '?')})`).run(...Object.values(row))
  }
  db.close()
  await isWhole(t, { kind: 'sqlite', file }, () => openSqliteStore({ file }))
})

test('a PostgreSQL database of an older version is upgraded with all that it holds', {
  skip: noPostgres,
}, async (t) => {
  const databases = await startPostgres(t)
  const url = await databases.create()
  await migratePostgres(url, olderMigrations(t, postgresMigrations, 7))
  const literal = (value: unknown) =>
    value === null
      ? 'NULL'
      : `convert_from(decode('${Buffer.from(toText(String(value))).toString('hex')}', 'hex'), 'UTF8')`
  for (const [table, row] of olderRows()) {
    const types = table === 'chain' ? { sequence: '::bigint' } : {}
    const values = Object.entries(row).map(([name, value]) => `${literal(value)}${Reflect.get(types, name) ?? ''}`)
    await queryAt(databases.superuser(url), `INSERT INTO ${table} (${Object.keys(row)}) VALUES (${values})`)
  }
  await isWhole(t, { kind: 'postgres', url }, () => openPostgresStore({ url }))
})
