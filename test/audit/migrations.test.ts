import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import Database from 'better-sqlite3'
import { type Test, test } from 'tap'
import { readMigrations } from '../../server/audit/migrate.ts'
import { postgresMigrations } from '../../server/audit/postgres-migrate.ts'
import { openSqliteReader, openSqliteStore } from '../../server/audit/sqlite.ts'
import { createDatabaseFile, openForWriting } from '../../server/audit/sqlite-connection.ts'
import { migrateSqlite, requireMigrated, sqliteMigrations } from '../../server/audit/sqlite-migrate.ts'
import { sha256 } from '../../server/digest.ts'
import { plainNode } from './child.ts'

const { env } = plainNode
const [command = '', ...loader] = plainNode.command
const migrateChild = fileURLToPath(new URL('./migrate-child.ts', import.meta.url))

/** A copy of the first migration to play with, and a database file. */
function room(t: Test) {
  const root = t.testdir({ migrations: {} })
  const directory = join(root, 'migrations')
  cpSync(new URL('0001-initial.sql', sqliteMigrations), join(directory, '0001-initial.sql'))
  const file = join(root, 'imagegate.db')
  createDatabaseFile(file)
  const url = pathToFileURL(`${directory}/`)
  const withDatabase = <T>(run: (db: Database.Database) => T): T => {
    const db = openForWriting(file)
    try {
      return run(db)
    } finally {
      db.close()
    }
  }
  return { directory, file, url, withDatabase }
}

const names = (db: Database.Database) => db.prepare('SELECT name FROM migrations ORDER BY name').pluck().all()
const tables = (db: Database.Database) =>
  db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all()

test('both dialects have the same migrations, by number and name', (t) => {
  t.same(
    readMigrations(postgresMigrations).map(({ name }) => name),
    readMigrations(sqliteMigrations).map(({ name }) => name),
  )
  t.end()
})

test('migrations run once, in order, and leave their checksums', (t) => {
  const { directory, url, withDatabase } = room(t)
  withDatabase((db) => migrateSqlite(db, url))
  writeFileSync(join(directory, '0002-second.sql'), 'CREATE TABLE second (a INTEGER) STRICT;')
  withDatabase((db) => t.throws(() => requireMigrated(db, url), { code: 'STORE_INCOMPATIBLE', message: /0002-second/ }))
  withDatabase((db) => {
    migrateSqlite(db, url)
    migrateSqlite(db, url)
    t.same(names(db), ['0001-initial.sql', '0002-second.sql'])
    const checksum = db.prepare("SELECT checksum FROM migrations WHERE name = '0001-initial.sql'").pluck().get()
    t.equal(checksum, sha256(readFileSync(join(directory, '0001-initial.sql'))))
    t.doesNotThrow(() => requireMigrated(db, url))
  })
  t.end()
})

test('a changed, missing, renamed or newer migration is refused by its name', (t) => {
  const { directory, url, withDatabase } = room(t)
  const first = join(directory, '0001-initial.sql')
  const second = join(directory, '0002-second.sql')
  writeFileSync(second, 'CREATE TABLE second (a INTEGER) STRICT;')
  withDatabase((db) => migrateSqlite(db, url))
  const refuses = (message: RegExp) =>
    withDatabase((db) => {
      t.throws(() => migrateSqlite(db, url), { code: 'STORE_INCOMPATIBLE', message })
      t.throws(() => requireMigrated(db, url), { code: 'STORE_INCOMPATIBLE', message })
    })
  writeFileSync(second, 'CREATE TABLE second (a INTEGER) STRICT; ')
  refuses(/0002-second\.sql was changed/)
  rmSync(second)
  refuses(/went through 0002-second\.sql, which this program does not know/)
  writeFileSync(join(directory, '0002-other.sql'), 'SELECT 1;')
  refuses(/went through 0002-second\.sql/)
  renameSync(first, join(directory, '0003-initial.sql'))
  refuses(/Migration 0001 is missing/)
  rmSync(directory, { recursive: true })
  refuses(/cannot be read/)
  t.end()
})

test('a migration that fails leaves nothing behind', (t) => {
  const { directory, url, withDatabase } = room(t)
  withDatabase((db) => migrateSqlite(db, url))
  writeFileSync(
    join(directory, '0002-broken.sql'),
    'CREATE TABLE half (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);',
  )
  withDatabase((db) => {
    t.throws(() => migrateSqlite(db, url), /nowhere/)
    t.notOk(tables(db).includes('half'))
    t.same(names(db), ['0001-initial.sql'])
  })
  t.end()
})

test('a migration that is killed half-way leaves nothing half-applied', async (t) => {
  const { directory, file, url, withDatabase } = room(t)
  withDatabase((db) => migrateSqlite(db, url))
  // Far more than the page cache holds, so that half of it stands in the log when the kill comes.
  const rows = (count: number) =>
    `INSERT INTO half WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
     SELECT i, hex(zeroblob(2000)) FROM n;`
  const migration = join(directory, '0002-long.sql')
  writeFileSync(migration, `CREATE TABLE half (i INTEGER, text TEXT) STRICT; ${rows(200_000)}`)
  for (const delay of [50, 150, 300]) {
    const child = spawn(command, [...loader, migrateChild, file, url.href], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    await sleep(delay)
    child.kill('SIGKILL')
    const [, signal] = await once(child, 'exit')
    t.equal(signal, 'SIGKILL', 'it was still at work')
    withDatabase((db) => {
      t.notOk(tables(db).includes('half'), `after ${delay} ms`)
      t.same(names(db), ['0001-initial.sql'])
      t.equal(db.pragma('integrity_check', { simple: true }), 'ok')
    })
  }
  writeFileSync(migration, `CREATE TABLE half (i INTEGER, text TEXT) STRICT; ${rows(10)}`)
  withDatabase((db) => {
    migrateSqlite(db, url)
    t.equal(db.prepare('SELECT count(*) FROM half').pluck().get(), 10)
  })
})

test('two processes may migrate at the same moment', async (t) => {
  const { file, url, withDatabase } = room(t)
  const children = [1, 2, 3].map(() =>
    spawn(command, [...loader, migrateChild, file, url.href], { env, stdio: ['ignore', 'ignore', 'inherit'] }),
  )
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]))
  t.same(codes, [0, 0, 0])
  withDatabase((db) => t.same(names(db), ['0001-initial.sql']))
})

test('a file of another kind, or of another program, is refused', async (t) => {
  const root = t.testdir({ 'text.db': 'not a database at all, but long enough to be looked at '.repeat(100) })
  const text = join(root, 'text.db')
  await t.rejects(openSqliteStore({ file: text }), { code: 'STORE_INCOMPATIBLE' })
  await t.rejects(openSqliteReader({ file: text }), { code: 'STORE_INCOMPATIBLE' })
  const other = join(root, 'other.db')
  const db = new Database(other)
  db.exec('CREATE TABLE theirs (a)')
  db.close()
  await t.rejects(openSqliteStore({ file: other }), { code: 'STORE_INCOMPATIBLE' })
  const reopened = new Database(other)
  t.same(tables(reopened), ['theirs'], 'it stays as it was')
  reopened.close()
  await t.rejects(openSqliteStore({ file: join(text, 'below', 'a.db') }), { code: 'STORE_UNAVAILABLE' })
})
