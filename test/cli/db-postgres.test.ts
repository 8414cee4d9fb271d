import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import tap, { test } from 'tap'
import { openPostgresStore } from '../../server/audit/postgres.ts'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import { start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import { sha256 } from '../../server/digest.ts'
import { plainNode } from '../audit/child.ts'
import { makeRecord } from '../audit/records.ts'
import { type Databases, noPostgres, queryAt, startPostgres } from '../support/postgres.ts'
import { imagegate, top } from './support.ts'

const skip = noPostgres
let server: Promise<Databases> | undefined

/** One server for all tests of this file. */
function started(): Promise<Databases> {
  server ??= startPostgres(tap)
  return server
}

test('migrate and status work on PostgreSQL, and show no password', { skip }, async (t) => {
  const databases = await started()
  const url = await databases.create()
  const { password, host, pathname } = new URL(url)
  const before = await imagegate(['db', 'status', '--database', url])
  t.match(
    [before.code, JSON.parse(before.stdout)],
    [1, { dialect: 'postgres', migrations: { applied: [] }, verdicts: 0 }],
  )
  const migrated = await imagegate(['db', 'migrate', '--database', url])
  t.match([migrated.code, JSON.parse(migrated.stdout)], [0, { applied: [/^0001-/] }])
  const store = await openPostgresStore({ url })
  for (const tenant of ['a', 'b']) await store.record(makeRecord({ tenant }))
  await store.close()
  const after = await imagegate(['db', 'status', '--count', '--database', url])
  t.match(
    [after.code, JSON.parse(after.stdout)],
    [
      0,
      {
        database: `postgres://${host}${pathname}`,
        verdicts: 2,
        tenants: [{ tenant: 'a' }, { tenant: 'b' }],
        rows: { verdicts: 2 },
      },
    ],
  )
  const { partitions } = JSON.parse(after.stdout)
  t.match(
    partitions.filter(({ table }: { table: string }) => table === 'verdicts').length,
    5,
    'this month, three more and the default',
  )
  const human = await imagegate(['db', 'status', '--database', url], { columns: 120, noColour: true })
  t.match(human.stdout, /^verdicts_default +DEFAULT/m)
  const absent = await imagegate(['db', 'status', '--database', url.replace(pathname, '/none')])
  t.match([absent.code, absent.stderr], [3, 'There is no such database'])
  for (const { stdout, stderr } of [before, migrated, after, human, absent]) t.notMatch(stdout + stderr, password)
})

const noDump = skip || (spawnSync('pg_dump', ['--version']).error ? 'pg_dump is not installed' : false)

test('a dump under load holds what was answered before it began, and a service serves it', {
  skip: noDump,
}, async (t) => {
  const databases = await started()
  const url = await databases.create()
  const store = await openPostgresStore({ url })
  const answered: string[] = []
  let going = true
  const loop = async (facts: number) => {
    while (going) {
      const record = makeRecord({ facts: `${facts % 5}`, failed: ['a.b'] })
      await store.record(record)
      answered.push(record.verdict.id)
    }
  }
  const load = Promise.all(Array.from({ length: 8 }, (_, index) => loop(index)))
  while (answered.length < 200) await sleep(5)
  const before = [...answered]
  const dump = join(t.testdir(), 'imagegate.dump')
  const ran = await imagegate(['db', 'backup', dump, '--database', url])
  const during = answered.length - before.length
  going = false
  await load
  await store.close()
  t.equal(ran.code, 0, ran.stderr)
  t.ok(during > 0, `${during} verdicts were answered meanwhile`)
  const said = JSON.parse(ran.stdout)
  t.equal(said.digest, sha256(readFileSync(dump)))
  t.notMatch(ran.stdout + ran.stderr, new URL(url).password)

  // Restored as docs/operations.md says.
  const restored = await databases.create()
  const given = spawnSync('pg_restore', ['--no-owner', '--exit-on-error', `--dbname=${restored}`, dump], {
    encoding: 'utf8',
  })
  t.equal(given.status, 0, given.stderr)
  const running = await start(
    readConfig({ IMAGEGATE_DATABASE_URL: restored, IMAGEGATE_PORT: '0', IMAGEGATE_LOG_LEVEL: 'silent' }),
  )
  t.teardown(() => running.close())
  const rows = await queryAt(databases.superuser(restored), 'SELECT id FROM verdicts')
  const kept = new Set(rows.map(({ id }) => id))
  t.same(
    before.filter((id) => !kept.has(id)),
    [],
    `all ${before.length} are there`,
  )
  t.equal((await fetch(`${running.url}/v1/verdicts/${before[0]}`)).status, 200)
  t.equal((await fetch(`${running.url}/health/ready`)).status, 200)
  const status = JSON.parse((await imagegate(['db', 'status', '--count', '--database', restored])).stdout)
  t.equal(status.rows.verdicts, kept.size)
  const isolated = await queryAt(
    restored,
    "SELECT set_config('imagegate.tenant', 'other', false)",
    'SELECT 1 FROM verdicts',
  )
  t.same(isolated, [], 'row-level security was restored')
  await t.rejects(
    queryAt(restored, "SELECT set_config('imagegate.tenant', '*', false)", 'DELETE FROM verdicts'),
    /append-only/,
  )
})

test('a copy that is killed goes on when it is called again', { skip }, async (t) => {
  const databases = await started()
  const file = join(t.testdir(), 'source.db')
  const store = await openSqliteStore({ file })
  const records = Array.from({ length: 1500 }, (_, index) => makeRecord({ facts: `${index}`, failed: ['a.b'] }))
  await Promise.all(records.map((record) => store.record(record)))
  await store.close()
  const url = await databases.create()
  const superuser = databases.superuser(url)
  const args = ['db', 'copy', '--from', file, '--to', url]
  const [command = '', ...rest] = [...plainNode.command, join(top, 'server/main.ts'), ...args]
  const copied = async () => {
    const [there] = await queryAt(superuser, "SELECT to_regclass('verdicts') IS NOT NULL AS verdicts")
    if (!there?.['verdicts']) return 0
    return Number((await queryAt(superuser, 'SELECT count(*) AS rows FROM verdicts'))[0]?.['rows'])
  }
  const child = spawn(command, rest, { env: plainNode.env, stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  while ((await copied()) === 0 && child.exitCode === null) await sleep(2)
  child.kill('SIGKILL')
  t.same(await ended, [null, 'SIGKILL'])
  const left = await copied()
  t.ok(left > 0 && left < records.length, `${left} of ${records.length} verdicts were copied`)
  const resumed = await imagegate(args)
  t.equal(resumed.code, 0, resumed.stderr)
  const said = JSON.parse(resumed.stdout)
  t.match(said, { tenants: [{ tenant: 'default', verdicts: records.length }] })
  t.ok(said.resumed >= left, `${said.resumed} rows were not copied again`)
  t.equal(await copied(), records.length)
  const db = new Database(file, { readonly: true })
  const lines = db
    .prepare<[], { id: string; body: string }>('SELECT id, body FROM verdicts ORDER BY id')
    .all()
    .map(({ id, body }) => `${id} ${sha256(body)}\n`)
  db.close()
  t.equal(said.tenants[0].digest, sha256(lines.join('')), 'the digest is that of the bodies in the source')

  await queryAt(
    superuser,
    "SET session_replication_role = replica; UPDATE verdicts SET outcome = 'ready' WHERE outcome <> 'ready'",
  )
  const differs = await imagegate(args)
  t.match([differs.code, differs.stderr], [1, 'COPY_DIFFERS'])
  const same = await imagegate(['db', 'copy', '--from', file, '--to', `file:${file}`])
  t.match([same.code, same.stderr], [3, 'same database'])
})
