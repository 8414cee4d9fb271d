import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { type Test, test } from 'tap'
import { toRows } from '../../server/audit/rows.ts'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import { prepareCommit } from '../../server/audit/sqlite-batch.ts'
import { createDatabaseFile, openForWriting } from '../../server/audit/sqlite-connection.ts'
import { migrateSqlite } from '../../server/audit/sqlite-migrate.ts'
import { sealWaiting } from '../../server/audit/sqlite-seal.ts'
import { readChain } from './contract-chain.ts'
import { makeRecord } from './records.ts'

/** A migrated database and a connection that writes. */
function database(t: Test): { db: Database; file: string } {
  const file = join(t.testdir(), 'imagegate.db')
  createDatabaseFile(file)
  const db = openForWriting(file)
  t.teardown(() => db.close())
  migrateSqlite(db)
  return { db, file }
}

/** Takes verdicts out of the chain, as if they had been recorded before there was one. */
function unseal(db: Database): void {
  db.exec(`DROP TRIGGER chain_keep_delete; INSERT INTO unsealed SELECT tenant, verdict_id, record_digest FROM chain;
    DELETE FROM chain; CREATE TRIGGER chain_keep_delete BEFORE DELETE ON chain
    BEGIN SELECT RAISE(ABORT, 'the chain is append-only'); END;`)
}

const count = (db: Database, table: string) => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get()

test('verdicts from before the chain are sealed when the database is opened, in the order of their ids', async (t) => {
  const { db, file } = database(t)
  const records = Array.from({ length: 2600 }, (_, index) => makeRecord({ tenant: index % 2 ? 'a' : 'b' }))
  prepareCommit(db)(records.map(toRows))
  unseal(db)
  t.equal(count(db, 'unsealed'), 2600)
  const store = await openSqliteStore({ file })
  t.teardown(() => store.close())
  t.equal(count(db, 'unsealed'), 0)
  await store.record(makeRecord({ tenant: 'a' }))
  for (const [tenant, length] of [
    ['a', 1301],
    ['b', 1300],
  ] as const) {
    const { entries, faults } = await readChain(store, tenant)
    t.same(faults, [])
    t.equal(entries.length, length)
    const ids = entries.map(({ verdictId }) => verdictId)
    t.same(ids, [...ids].sort())
  }
})

test('a portion that fails is not sealed by half, and the next opening goes on', (t) => {
  const { db } = database(t)
  prepareCommit(db)(Array.from({ length: 2500 }, () => toRows(makeRecord())))
  unseal(db)
  db.exec(`CREATE TRIGGER broken BEFORE INSERT ON chain WHEN NEW.sequence = 2400
    BEGIN SELECT RAISE(ABORT, 'broken'); END`)
  t.throws(() => sealWaiting(db), /broken/)
  t.same([count(db, 'chain'), count(db, 'unsealed')], [2000, 500])
  db.exec('DROP TRIGGER broken')
  t.equal(sealWaiting(db), 500)
  t.same([count(db, 'chain'), count(db, 'unsealed')], [2500, 0])
  t.end()
})

test('a verdict leaves those that wait only by being sealed, and counts as sealed though it is gone', (t) => {
  const { db } = database(t)
  prepareCommit(db)(Array.from({ length: 3 }, () => toRows(makeRecord())))
  unseal(db)
  db.exec("INSERT INTO unsealed VALUES ('default', '00000000-0000-7000-8000-000000000000', 'sha256:gone')")
  t.throws(() => db.exec('DELETE FROM unsealed'), /waits for the chain/)
  t.equal(sealWaiting(db), 4)
  t.same([count(db, 'chain'), count(db, 'unsealed')], [4, 0])
  t.end()
})

test('a batch that is rolled back leaves no gap, and a record whose sealing fails is not there', async (t) => {
  const { db, file } = database(t)
  const commit = prepareCommit(db)
  commit([toRows(makeRecord())])
  db.exec(`CREATE TRIGGER full BEFORE INSERT ON missing_facts
    BEGIN SELECT RAISE(ROLLBACK, 'the transaction is gone'); END`)
  t.throws(() => commit([toRows(makeRecord()), toRows(makeRecord({ missing: ['/os'] }))]))
  db.exec('DROP TRIGGER full')
  t.equal(count(db, 'chain'), 1)
  db.exec(`CREATE TRIGGER refused BEFORE INSERT ON chain WHEN NEW.sequence = 3
    BEGIN SELECT RAISE(ABORT, 'refused'); END`)
  const results = commit([1, 2, 3].map(() => toRows(makeRecord())))
  t.same(
    results.map(({ kind }) => kind),
    ['recorded', 'failed', 'failed'],
  )
  db.exec('DROP TRIGGER refused')
  commit([toRows(makeRecord())])
  t.same([count(db, 'chain'), count(db, 'verdicts')], [3, 3])
  const store = await openSqliteStore({ file })
  t.teardown(() => store.close())
  t.same((await readChain(store, 'default')).faults, [])
})

test('two services on one database never fork the chain', async (t) => {
  const { file } = database(t)
  const stores = await Promise.all([openSqliteStore({ file }), openSqliteStore({ file })])
  t.teardown(() => Promise.all(stores.map((store) => store.close())))
  await Promise.all(
    Array.from({ length: 400 }, (_, index) => stores[index % 2]?.record(makeRecord({ facts: `${index}` }))),
  )
  const [store] = stores
  const { entries, faults } = await readChain(store, 'default')
  t.same(faults, [])
  t.equal(entries.length, 400)
})
