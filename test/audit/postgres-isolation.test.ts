import fc from 'fast-check'
import pg from 'pg'
import { type Test, test } from 'tap'
import { openPostgresStore } from '../../server/audit/postgres.ts'
import { openPool } from '../../server/audit/postgres-connection.ts'
import { makePartitions } from '../../server/audit/postgres-partitions.ts'
import { runOn } from '../../server/audit/postgres-reader.ts'
import { fromText, toText } from '../../server/audit/postgres-text.ts'
import { sha256 } from '../../server/digest.ts'
import { type Databases, noPostgres, queryAt, startPostgres } from '../support/postgres.ts'
import { readAt } from './contract-reads.ts'
import { identityAt, makeRecord } from './records.ts'

const body = 'schema: imagegate.policy/1\nfamily: linux\nversion: "9.0.0"\n'
const pass = { effect: 'none', result: 'pass' } as const
const shadow = {
  candidate: { digest: sha256(body), family: 'linux', version: '9.0.0', body },
  outcome: 'ready',
  differences: [{ rule: 'a.b', from: { effect: 'block', result: 'fail' } as const, to: pass }],
} as const

/** A database with one record of everything for each of two tenants, and a connection of the service's role. */
async function twoTenants(t: Test, databases: Databases) {
  const url = await databases.create()
  const store = await openPostgresStore({ url })
  t.teardown(() => store.close())
  for (const tenant of ['one', 'two']) {
    const wishes = { tenant, facts: tenant, failed: ['a.b'], missing: ['/os'] }
    await store.record({ ...makeRecord({ ...wishes, idempotency: { key: 'k', fingerprint: 'f' } }), shadow })
    await store.recordRead(tenant, readAt('2026-11-25T00:00:00Z', 1))
  }
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  return { url, store, client }
}

/** Tables with a tenant, partitions included. */
const tenantTables = `SELECT attrelid::regclass::text AS name FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
  WHERE attname = 'tenant' AND relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace ORDER BY name`

test('PostgreSQL keeps tenants apart and the record as it was written', { skip: noPostgres }, async (t) => {
  const databases = await startPostgres(t)

  await t.test('a connection sees one tenant alone, even by a query that forgot its condition', async (t) => {
    const { url, client } = await twoTenants(t, databases)
    const tables = (await client.query(tenantTables)).rows.map(({ name }) => String(name))
    t.ok(tables.length > 30, 'partitions are looked at, too')
    const seen = async (tenant: string | undefined) => {
      await client.query('BEGIN')
      if (tenant !== undefined) await client.query("SELECT set_config('imagegate.tenant', $1, true)", [tenant])
      const found = new Map<string, string>()
      for (const table of tables) {
        const { rows } = await client.query(`SELECT DISTINCT tenant FROM ${table} ORDER BY tenant`)
        if (rows.length > 0) found.set(table, rows.map(({ tenant }) => tenant).join(' '))
      }
      await client.query('ROLLBACK')
      return found
    }
    const everybody = await seen('*')
    for (const table of [
      'verdicts',
      'findings',
      'missing_facts',
      'audit_reads',
      'fact_documents',
      'idempotency_keys',
      'shadow_counts',
    ])
      t.equal(everybody.get(table), 'one two', `${table} holds rows of both`)
    t.same([...new Set((await seen('one')).values())], ['one'])
    t.same((await seen(undefined)).size, 0, 'who says no tenant sees nothing')
    t.same((await seen('')).size, 0)
    t.same((await seen('three')).size, 0)
    const pool = openPool({ url, size: 1 })
    t.teardown(() => pool.end())
    t.same(await runOn(pool)('two', (db) => db.selectFrom('verdicts').select('tenant').execute()), [{ tenant: 'two' }])
    t.same(await runOn(pool)(undefined, (db) => db.selectFrom('verdicts').select('tenant').execute()), [])
  })

  await t.test('row-level security is in force on every table with a tenant', async (t) => {
    const { client } = await twoTenants(t, databases)
    const { rows } = await client.query(
      `SELECT relname FROM (${tenantTables}) AS tables JOIN pg_class ON pg_class.oid = name::regclass
       WHERE NOT (relrowsecurity AND relforcerowsecurity) OR NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid)`,
    )
    t.same(rows, [])
    await client.query('BEGIN')
    await client.query("SELECT set_config('imagegate.tenant', 'one', true)")
    const foreign = "INSERT INTO missing_facts (tenant, pointer, verdict_id) VALUES ('two', '/os', 'x')"
    await t.rejects(client.query(foreign), { code: '42501' }, 'nor can a row of another tenant be written')
    await client.query('ROLLBACK')
  })

  await t.test('no statement changes, deletes or replaces what was recorded', async (t) => {
    const { client } = await twoTenants(t, databases)
    const { rows: partitions } = await client.query(
      "SELECT tableoid::regclass::text AS name FROM pg_class WHERE false UNION SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'verdicts'::regclass",
    )
    const refused = [
      "UPDATE verdicts SET outcome = 'ready'",
      'UPDATE verdicts SET body = body',
      'DELETE FROM verdicts',
      'TRUNCATE verdicts',
      'TRUNCATE verdicts, findings CASCADE',
      "INSERT INTO verdicts SELECT * FROM verdicts ON CONFLICT (tenant, id) DO UPDATE SET outcome = 'ready'",
      "UPDATE findings SET effect = 'none'",
      'DELETE FROM findings',
      "UPDATE missing_facts SET pointer = '/none'",
      'DELETE FROM missing_facts',
      "UPDATE audit_reads SET caller = 'x'",
      'DELETE FROM audit_reads',
      'TRUNCATE audit_reads',
      "UPDATE policy_bodies SET body = ''",
      'DELETE FROM policy_bodies',
      'TRUNCATE policy_bodies',
      "UPDATE fact_documents SET body = ''",
      "UPDATE fact_documents SET removed_at = '2030-01-01T00:00:00Z', removal_reason = 'age'",
      "UPDATE fact_documents SET body = NULL, removed_at = '2030-01-01T00:00:00Z', removal_reason = 'age', digest = 'x'",
      'UPDATE fact_documents SET body = NULL',
      'DELETE FROM fact_documents',
      'TRUNCATE fact_documents',
      "UPDATE shadow_evaluations SET to_outcome = 'ready'",
      'DELETE FROM shadow_differences',
      'UPDATE shadow_counts SET evaluations = evaluations - 1',
      'DELETE FROM shadow_counts',
      ...partitions.flatMap(({ name }) => [`TRUNCATE ${name}`]),
    ]
    const month = partitions.map(({ name }) => String(name)).find((name) => name < 'verdicts_default')
    for (const sql of [...refused, `UPDATE ${month} SET body = ''`, `DELETE FROM ${month}`]) {
      await client.query("BEGIN; SELECT set_config('imagegate.tenant', '*', true)")
      await t.rejects(client.query(sql), { code: /^23/ }, sql)
      await client.query('ROLLBACK')
    }
  })

  await t.test('retention removes a document’s body, and sent again it is back', async (t) => {
    const { store, client } = await twoTenants(t, databases)
    const record = makeRecord({ tenant: 'one', facts: 'one' })
    const digest = record.verdict.documentDigest
    await client.query("BEGIN; SELECT set_config('imagegate.tenant', 'one', true)")
    const removal =
      "UPDATE fact_documents SET body = NULL, removed_at = '2030-01-01T00:00:00.000Z', removal_reason = 'age'"
    t.equal((await client.query(removal)).rowCount, 1, 'of this tenant alone')
    await client.query('COMMIT')
    t.equal(await store.document('one', digest), 'expired')
    await store.record(record)
    t.equal(await store.document('one', digest), record.document)
  })

  await t.test('each month has its partitions before it begins; what none takes goes to the default one', async (t) => {
    const { url, store, client } = await twoTenants(t, databases)
    const placed = async () => {
      await client.query("BEGIN; SELECT set_config('imagegate.tenant', '*', true)")
      const { rows } = await client.query(
        'SELECT DISTINCT tableoid::regclass::text AS name FROM verdicts ORDER BY name',
      )
      await client.query('ROLLBACK')
      return rows.map(({ name }) => String(name))
    }
    const month = (later: number) => {
      const now = new Date()
      return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + later))
        .toISOString()
        .slice(0, 7)
        .replace('-', '_')
    }
    t.same(await placed(), [`verdicts_${month(0)}`])
    const { rows } = await client.query(
      "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'findings'::regclass ORDER BY name",
    )
    const expected = [0, 1, 2, 3].map((later) => `findings_${month(later)}`)
    t.same(
      rows.map(({ name }) => name),
      [...expected, 'findings_default'],
    )

    await store.record(makeRecord({ tenant: 'one', identity: identityAt('2020-02-10T00:00:00.000Z'), failed: ['a.b'] }))
    t.same(await placed(), [`verdicts_${month(0)}`, 'verdicts_default'])
    const pool = openPool({ url, size: 2 })
    t.teardown(() => pool.end())
    const days = ['2020-01-31T23:59:59.999Z', '2020-03-01T00:00:00.000Z'].map((time) => new Date(time)) as [Date, Date]
    // Verdicts, findings and their kinds, trigrams of the name: of February, all in their default partitions.
    const [tables, taken] = [8, 4]
    t.equal(await makePartitions(pool, ...days), 3 * tables - taken, 'not where the default partition has rows already')
    t.equal(await makePartitions(pool, ...days), 0)
    for (const time of days) await store.record(makeRecord({ tenant: 'one', identity: identityAt(time.toISOString()) }))
    t.same(await placed(), ['verdicts_2020_01', 'verdicts_2020_03', `verdicts_${month(0)}`, 'verdicts_default'].sort())
    const { verdicts } = await store.list('one', { to: '2021-01-01T00:00:00Z' }, 10)
    t.same(
      verdicts.map(({ recordedAt }) => recordedAt.slice(0, 10)),
      ['2020-03-01', '2020-02-10', '2020-01-31'],
    )
  })

  await t.test('a superuser is warned that nothing keeps tenants apart for it', async (t) => {
    const warnings: string[] = []
    const url = databases.superuser(await databases.create())
    const store = await openPostgresStore({
      url,
      log: { warn: (_, message) => warnings.push(message), info: () => undefined },
    })
    await store.close()
    t.match(warnings, [/exempt from row-level security/])
  })

  await t.test('a database of another program is refused, and stays as it was', async (t) => {
    const url = await databases.create()
    await queryAt(url, 'CREATE SCHEMA IF NOT EXISTS public', 'CREATE TABLE theirs (a integer)')
    await t.rejects(openPostgresStore({ url }), { code: 'STORE_INCOMPATIBLE' })
    t.same(await queryAt(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"), [{ tablename: 'theirs' }])
  })
})

test('every text survives PostgreSQL, which has no U+0000', (t) => {
  const unit = fc.constantFrom('\0', '\u001a', '0', '1', 'a', '\u{1f600}')
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      const written = toText(text)
      return !written.includes('\0') && fromText(written) === text
    }),
  )
  t.equal(toText('as it is'), 'as it is')
  t.end()
})
