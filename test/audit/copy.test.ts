import { join } from 'node:path'
import Database from 'better-sqlite3'
import tap, { type Test, test } from 'tap'
import { type Copied, copyDatabase } from '../../server/audit/copy.ts'
import type { CopyTarget, MaintainedDatabase } from '../../server/audit/maintained.ts'
import { openPostgresStore } from '../../server/audit/postgres.ts'
import { openPostgresSource, openPostgresTarget } from '../../server/audit/postgres-copy.ts'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import { openSqliteSource, openSqliteTarget } from '../../server/audit/sqlite-copy.ts'
import { type Databases, noPostgres, queryAt, startPostgres } from '../support/postgres.ts'
import { readAt } from './contract-reads.ts'
import { identityAt, makeRecord } from './records.ts'

const skip = noPostgres
let server: Promise<Databases> | undefined

/** One server for all tests of this file. */
function started(): Promise<Databases> {
  server ??= startPostgres(tap)
  return server
}
const months = ['2026-10-31T23:59:59.999Z', '2026-11-01T00:00:00.000Z', '2026-11-25T12:00:00.000Z']

/** A database with something in every table that recording fills, over several months and two tenants. */
async function filled(t: Test, each: number): Promise<string> {
  const file = join(t.testdir(), 'source.db')
  const store = await openSqliteStore({ file })
  for (const tenant of ['b', 'a']) {
    for (const [month, time] of months.entries()) {
      const records = Array.from({ length: each }, (_, index) =>
        makeRecord({
          tenant,
          identity: identityAt(time, index),
          facts: `${tenant}-${month}-${index % 7}`,
          subject: { imageName: index % 3 === 0 ? `nul \0, substitute \u001a, ${index}` : `ünïcode-${index}` },
          failed: ['a.b'],
          unknown: ['a.c'],
          missing: ['/os'],
          idempotency: { key: `${tenant}-${month}-${index}`, fingerprint: 'f' },
        }),
      )
      await Promise.all(records.map((record) => store.record(record)))
    }
  }
  const reads = ['2026-09-30T00:00:00Z', ...months].flatMap((time) =>
    Array.from({ length: each }, (_, order) => {
      const request = `{"path":{},"query":{"text":"ü \\u0000 ${order}"}}`
      return readAt(time, 1000 + order, { request, answered: order % 2 === 0 ? null : order })
    }),
  )
  await Promise.all(reads.map((read) => store.recordRead('a', read)))
  await store.acceptBundle({ sequence: 3, digest: 'sha256:b', signedBy: 'sha256:k' })
  await store.close()
  const db = new Database(file)
  db.prepare(
    `UPDATE fact_documents SET body = NULL, removed_at = '2026-11-25T00:00:00.000Z', removal_reason = 'retention'
     WHERE rowid = 1`,
  ).run()
  db.prepare(
    `INSERT INTO api_keys (id, tenant, role, name, digest, created_at)
     VALUES ('k7d3m2p9q4a5b6c7', 'a', 'reader', 'one', 'sha256:0', '2026-11-25T00:00:00.000Z')`,
  ).run()
  db.close()
  return file
}

async function copy(
  source: MaintainedDatabase,
  target: CopyTarget,
  progress?: (table: string) => void,
): Promise<Copied> {
  try {
    return await copyDatabase({ source, target, ...(progress && { progress: (_, table) => progress(table) }) })
  } finally {
    await source.close()
    await target.close()
  }
}

test('a copy to PostgreSQL and back is the same in every row', { skip }, async (t) => {
  const databases = await started()
  const file = await filled(t, 40)
  const url = await databases.create()
  const there = await copy(openSqliteSource(file), await openPostgresTarget(url))
  t.match(there.tenants, [
    { tenant: 'a', verdicts: 120 },
    { tenant: 'b', verdicts: 120 },
  ])
  t.equal(there.resumed, 0)
  t.notMatch(JSON.stringify(there), new URL(url).password, 'no password is told')

  // The service's own eyes: what was recorded on SQLite is read and replayed from PostgreSQL.
  const store = await openPostgresStore({ url })
  const record = makeRecord({ tenant: 'a', identity: identityAt(months[1] ?? '', 6), facts: 'a-1-6' })
  const found = await store.list('a', { imageName: 'nul \0, substitute \u001a, 6' }, 10)
  t.same(found.verdicts.length, 3)
  t.equal((await store.verdict('a', record.verdict.id))?.recordDigest, found.verdicts[1]?.recordDigest)
  t.match(await store.record(makeRecord({ tenant: 'a', idempotency: { key: 'a-0-0', fingerprint: 'f' } })), {
    kind: 'replayed',
  })
  t.same(await store.list('c', {}, 1), { verdicts: [] })
  const sought = { text: 'CODE-31' }
  t.equal((await store.list('a', sought, 10)).verdicts.length, 3, 'text in names is found')
  await store.close()
  const parts = await queryAt(databases.superuser(url), 'SELECT count(*) AS rows FROM verdicts_2026_10')
  t.match(parts, [{ rows: '80' }], 'each month has its partition')
  const early = await queryAt(databases.superuser(url), 'SELECT count(*) AS rows FROM audit_reads_2026_09')
  t.match(early, [{ rows: '40' }], 'also one in which there are only reads')

  const back = join(t.testdirName, 'back.db')
  const returned = await copy(await openPostgresSource(url), await openSqliteTarget(back))
  t.same(returned.tenants, there.tenants)
  const dump = (path: string) => {
    const db = new Database(path, { readonly: true })
    const tables = db
      .prepare<[], string>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name",
      )
      .pluck()
      .all()
    const rows = tables
      .filter((table) => !['migrations', 'health'].includes(table) && !table.startsWith('image_texts_'))
      .map((table) => [
        table,
        db
          .prepare<[], object>(`SELECT * FROM ${table}`)
          .all()
          .map((row) => JSON.stringify(row))
          .sort(),
      ])
    db.close()
    return Object.fromEntries(rows)
  }
  const [original, copied] = [dump(file), dump(back)]
  for (const table of Object.keys(original)) t.same(copied[table], original[table], `${table} is the same`)
  for (const table of [
    'verdicts',
    'chain',
    'api_keys',
    'image_texts',
    'findings',
    'audit_reads',
    'missing_facts',
    'fact_documents',
    'policy_bodies',
    'policy_bundles',
    'idempotency_keys',
  ]) {
    t.ok(original[table].length > 0, `${table} holds something`)
  }
})

test('a copy that broke off goes on where the target ends, wherever that was', { skip }, async (t) => {
  const databases = await started()
  const file = await filled(t, 40)
  for (const at of ['verdicts', 'policy_bundles']) {
    const url = await databases.create()
    let portions = 0
    const broken = copy(openSqliteSource(file), await openPostgresTarget(url), (table) => {
      portions += 1
      if (table === at) throw new Error('broken off')
    })
    await t.rejects(broken, /broken off/, at)
    const resumed = await copy(openSqliteSource(file), await openPostgresTarget(url))
    t.ok(resumed.resumed > 0 && portions > 0, `${resumed.resumed} rows were there`)
    t.match(resumed.tenants, [{ verdicts: 120 }, { verdicts: 120 }])
    const again = await copy(openSqliteSource(file), await openPostgresTarget(url))
    t.equal(again.written, 0, 'a finished copy is compared and not written')
    t.same(again.tenants, resumed.tenants)
  }
})

test('a target with other verdicts is refused and left alone', { skip }, async (t) => {
  const databases = await started()
  const file = await filled(t, 2)
  const url = await databases.create()
  const store = await openPostgresStore({ url })
  const other = makeRecord({ tenant: 'a', identity: identityAt(months[0] ?? '', 1), facts: 'other' })
  await store.record(other)
  await store.close()
  const refused = copy(openSqliteSource(file), await openPostgresTarget(url))
  await t.rejects(refused, { code: 'COPY_REFUSED', message: new RegExp(other.verdict.id) })
  t.match(await queryAt(databases.superuser(url), 'SELECT count(*) AS rows FROM verdicts'), [{ rows: '1' }])
})

test('nobody writes to the source while it is copied', { skip }, async (t) => {
  const databases = await started()
  const file = await filled(t, 2)
  const source = openSqliteSource(file)
  const writer = new Database(file, { timeout: 50 })
  t.throws(() => writer.exec('BEGIN IMMEDIATE'), { code: 'SQLITE_BUSY' })
  t.ok(writer.prepare('SELECT count(*) FROM verdicts').get(), 'reading goes on')
  await source.close()
  t.doesNotThrow(() => writer.exec('BEGIN IMMEDIATE'))
  await t.rejects(async () => openSqliteSource(file), { code: 'STORE_UNAVAILABLE' }, 'nor is it taken from a writer')
  writer.close()

  const url = await databases.create()
  await (await openPostgresStore({ url })).close()
  const taken = await openPostgresSource(url)
  const insert = `SET lock_timeout = 100; INSERT INTO policy_bodies VALUES ('d', 'f', 'v', 'b')`
  await t.rejects(queryAt(url, insert), { code: '55P03' })
  await taken.close()
  await t.resolves(queryAt(url, insert))
})

test('a copy that somebody changed is told by the first row that differs', { skip }, async (t) => {
  const databases = await started()
  const file = await filled(t, 3)
  const changes = [
    ["UPDATE verdicts SET body = replace(body, 'L-01', 'L-02') WHERE tenant = 'b'", /^verdicts \(b, /],
    ["UPDATE findings SET severity = 'warn' WHERE tenant = 'a' AND rule = 'a.c'", /^findings \(a, a\.c, /],
    ["DELETE FROM missing_facts WHERE tenant = 'a'", /^missing_facts \(a, .* is missing_facts \(b, /],
    ["INSERT INTO policy_bodies VALUES ('sha256:x', 'f', 'v', 'b')", /^policy_bodies .*alone/],
    ["UPDATE chain SET link = previous_link WHERE tenant = 'b' AND sequence = 3", /^chain \(b, 3\) of the source/],
    ["UPDATE audit_reads SET caller = 'key:other' WHERE answered = 1", /^audit_reads \(a, /],
    ["UPDATE fact_documents SET body = '{}' WHERE tenant = 'b'", /^fact_documents \(b, /],
  ] as const
  for (const [change, message] of changes) {
    const url = await databases.create()
    await copy(openSqliteSource(file), await openPostgresTarget(url))
    const rows = await queryAt(databases.superuser(url), 'SET session_replication_role = replica', change, 'SELECT 1')
    t.equal(rows.length, 1)
    const refused = copy(openSqliteSource(file), await openPostgresTarget(url))
    await t.rejects(refused, { code: 'COPY_DIFFERS', message }, change)
  }
})

test('a source whose chain does not hold is told and not passed for whole', async (t) => {
  const changes = [
    [
      "UPDATE chain SET link = 'sha256:0' WHERE tenant = 'a' AND sequence = 2",
      /^chain \(a, 2\) does not fit its own digest/,
    ],
    ["DELETE FROM chain WHERE tenant = 'a' AND sequence = 2", /refuses rows of chain/],
    [
      "UPDATE verdicts SET body = replace(body, 'L-01', 'L-02') WHERE tenant = 'b'",
      /^verdicts \(b, .* does not fit its own digest/,
    ],
    ["DELETE FROM verdicts WHERE tenant = 'b'", /^chain \(b, 1\) seals no verdict/],
  ] as const
  for (const [index, [change, message]] of changes.entries()) {
    const file = await filled(t, 2)
    const db = new Database(file)
    const triggers = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all()
    for (const trigger of triggers) db.exec(`DROP TRIGGER ${trigger}`)
    db.exec(change)
    db.close()
    const target = await openSqliteTarget(join(t.testdirName, `copy-${index}.db`))
    await t.rejects(copy(openSqliteSource(file), target), { code: 'COPY_DIFFERS', message }, change)
  }
})
