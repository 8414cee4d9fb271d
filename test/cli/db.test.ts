import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Database from 'better-sqlite3'
import { type Test, test } from 'tap'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import { createDatabaseFile, openForWriting } from '../../server/audit/sqlite-connection.ts'
import { migrateSqlite, sqliteMigrations } from '../../server/audit/sqlite-migrate.ts'
import { start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import { sha256 } from '../../server/digest.ts'
import { startChild } from '../audit/child.ts'
import { makeRecord } from '../audit/records.ts'
import { example, imagegate } from './support.ts'

const names = readdirSync(sqliteMigrations).filter((name) => name.endsWith('.sql'))

/** A database that went through the first migration alone, as an older program left it. */
function older(t: Test): string {
  const root = t.testdir({ migrations: {} })
  const [first = ''] = names
  cpSync(new URL(first, sqliteMigrations), join(root, 'migrations', first))
  const file = join(root, 'old.db')
  createDatabaseFile(file)
  const db = openForWriting(file)
  migrateSqlite(db, pathToFileURL(join(root, 'migrations/')))
  db.close()
  return file
}

async function filled(t: Test, verdicts: number): Promise<string> {
  const file = join(t.testdir(), 'imagegate.db')
  const store = await openSqliteStore({ file })
  for (const tenant of ['b', 'a']) {
    const records = Array.from({ length: verdicts }, (_, index) => makeRecord({ tenant, facts: `${tenant}-${index}` }))
    await Promise.all(records.map((record) => store.record(record)))
  }
  await store.close()
  return file
}

test('status tells pending migrations with exit code 1, migrate applies them and says which', async (t) => {
  const file = older(t)
  const before = await imagegate(['db', 'status', '--database', file])
  t.equal(before.code, 1)
  t.match(JSON.parse(before.stdout), {
    dialect: 'sqlite',
    database: file,
    migrations: { applied: [{ name: names[0], appliedAt: /^\d{4}-.*Z$/ }], pending: names.slice(1) },
  })
  const migrated = await imagegate(['db', 'migrate', '--database', file])
  t.match([migrated.code, JSON.parse(migrated.stdout)], [0, { applied: names.slice(1), migrations: names.length }])
  const again = await imagegate(['db', 'migrate', '--database', file, '--format', 'human'])
  t.match([again.code, again.stdout], [0, `went through all ${names.length} migrations already`])
  const after = await imagegate(['db', 'status', '--database', file, '--format', 'human'])
  t.match([after.code, after.stdout], [0, `${names.length} applied`])
})

test('migrate makes a database that is not there, and the others refuse to', async (t) => {
  const file = join(t.testdir(), 'new', 'imagegate.db')
  for (const args of [['status'], ['backup', join(t.testdirName, 'backup.db')]]) {
    const refused = await imagegate(['db', ...args, '--database', file])
    t.match([refused.code, refused.stderr], [3, 'FILE_UNREADABLE'])
    t.notOk(existsSync(file))
  }
  const made = await imagegate(['db', 'migrate', '--database', file])
  t.match([made.code, JSON.parse(made.stdout)], [0, { applied: names }])
})

test('a database of a newer program is refused with exit code 3, naming the migration', async (t) => {
  const file = await filled(t, 1)
  const db = new Database(file)
  db.prepare("INSERT INTO migrations VALUES ('9999-later.sql', 'sha256:0', '2030-01-01T00:00:00.000Z')").run()
  db.close()
  for (const command of ['status', 'migrate']) {
    const refused = await imagegate(['db', command, '--database', file])
    t.match([refused.code, refused.stderr], [3, '9999-later.sql'], command)
  }
})

test('status tells each tenant with its verdicts, and counts rows when asked', async (t) => {
  const file = await filled(t, 3)
  const quick = JSON.parse((await imagegate(['db', 'status', '--database', file])).stdout)
  t.equal(quick.verdicts, 6)
  t.match(quick.tenants, [{ tenant: 'a' }, { tenant: 'b' }])
  t.equal(quick.rows, undefined)
  t.ok(quick.bytes > 50_000)
  const counted = JSON.parse((await imagegate(['db', 'status', '--count', '--database', file])).stdout)
  t.match(counted.rows, { verdicts: 6, fact_documents: 6, policy_bodies: 1, migrations: names.length })
  const human = await imagegate(['db', 'status', '--count', '--database', file], { columns: 100, noColour: true })
  t.match(human.stdout, /^Tenant +Newest verdict/m)
  t.match(human.stdout, /^verdicts +6$/m)
})

test('a backup under load holds what was answered before it began, and a service serves it', async (t) => {
  const root = t.testdir()
  const file = join(root, 'imagegate.db')
  const child = await startChild(t, 'storm', file)
  while (child.acknowledged().length < 1500) await child.next()
  const before = [...child.acknowledged()]
  const backup = join(root, 'backup.db')
  const ran = await imagegate(['db', 'backup', backup, '--database', file])
  const answered = child.acknowledged().length
  child.process.kill('SIGKILL')
  await child.ended()
  t.equal(ran.code, 0, ran.stderr)
  t.ok(answered > before.length + 64, `${answered - before.length} verdicts were answered meanwhile`)
  const said = JSON.parse(ran.stdout)
  t.equal(said.digest, sha256(readFileSync(backup)))
  t.same(
    readdirSync(root).filter((name) => name.startsWith('backup')),
    ['backup.db'],
    'one file, without a log beside it',
  )

  // Restored as docs/operations.md says: a copy under a new name, and the service started on it.
  mkdirSync(join(root, 'restored'))
  const restored = join(root, 'restored', 'imagegate.db')
  copyFileSync(backup, restored)
  const running = await start(
    readConfig({ IMAGEGATE_DATABASE_URL: `file:${restored}`, IMAGEGATE_PORT: '0', IMAGEGATE_LOG_LEVEL: 'silent' }),
  )
  t.teardown(() => running.close())
  for (const id of before.filter((_, index) => index % 100 === 0)) {
    const answer = await fetch(`${running.url}/v1/verdicts/${id}`)
    t.equal(answer.status, 200, id)
  }
  const posted = await fetch(`${running.url}/v1/evaluations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: readFileSync(example('linux/ready.json')),
  })
  t.equal(posted.status, 201)
  const db = new Database(restored, { readonly: true })
  t.teardown(() => db.close())
  const kept = new Set(db.prepare('SELECT id FROM verdicts').pluck().all())
  t.same(
    before.filter((id) => !kept.has(id)),
    [],
    `all ${before.length} are there`,
  )
  t.equal(db.pragma('journal_mode', { simple: true }), 'wal', 'the service made it its own')
})

test('a backup replaces a file only when told to', async (t) => {
  const file = await filled(t, 1)
  const backup = join(t.testdirName, 'backup.db')
  writeFileSync(backup, 'precious')
  const refused = await imagegate(['db', 'backup', backup, '--database', file])
  t.match([refused.code, refused.stderr], [3, 'FILE_EXISTS'])
  t.equal(readFileSync(backup, 'utf8'), 'precious')
  const forced = await imagegate(['db', 'backup', backup, '--force', '--database', file, '--format', 'human'])
  t.match([forced.code, forced.stdout], [0, /^backed up and examined: .*backup\.db/])
  const db = new Database(backup, { readonly: true })
  t.equal(db.prepare('SELECT count(*) FROM verdicts').pluck().get(), 2)
  db.close()
})

test('a damaged database gives no backup, and leaves nothing behind', async (t) => {
  const file = await filled(t, 40)
  const bytes = readFileSync(file)
  const at = bytes.indexOf('imagegate.verdict/1')
  t.ok(at > 0)
  // The header of a page in the middle, from which its cells are found.
  bytes.fill(0xff, at - (at % 4096), at - (at % 4096) + 12)
  writeFileSync(file, bytes)
  const ran = await imagegate(['db', 'backup', join(t.testdirName, 'backup.db'), '--database', file])
  t.match([ran.code, ran.stderr], [3, 'BACKUP_FAILED'])
  t.same(
    readdirSync(t.testdirName).filter((name) => name.includes('backup')),
    [],
  )
})
