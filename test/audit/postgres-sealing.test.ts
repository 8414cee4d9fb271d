import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Test, test } from 'tap'
import { openPostgresStore } from '../../server/audit/postgres.ts'
import type { Store } from '../../server/audit/store.ts'
import { type Databases, noPostgres, queryAt, startPostgres } from '../support/postgres.ts'
import { readChain, sealed } from './contract-chain.ts'
import { makeRecord } from './records.ts'

type InDatabase = (t: Test, url: string, databases: Databases) => Promise<void>

/** The key of the lock that a sealer holds; another holder keeps every sealer from working. */
const sealingLock = 'SELECT pg_advisory_lock(5019716323)'

async function opened(t: Test, url: string, maxUnsealed = 100_000): Promise<Store> {
  const store = await openPostgresStore({ url, maxUnsealed })
  t.teardown(() => store.close())
  return store
}

/** Keeps sealers from working until it is called. */
async function holdSealers(t: Test, url: string): Promise<() => Promise<void>> {
  const holder = new pg.Client({ connectionString: url })
  await holder.connect()
  let held = true
  const release = async () => {
    if (held) await holder.end()
    held = false
  }
  t.teardown(release)
  await holder.query(sealingLock)
  return release
}

async function until(t: Test, what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 15_000; performance.now() < end; await sleep(20)) if (await holds()) return
  t.fail(`${what} did not come true in 15 seconds`)
}

const recordMany = (store: Store, count: number) =>
  Promise.all(Array.from({ length: count }, () => store.record(makeRecord())))

async function neverForks(t: Test, url: string) {
  const stores = await Promise.all([opened(t, url), opened(t, url), opened(t, url)])
  const [store] = stores
  const recording = Promise.all(stores.map((one) => recordMany(one, 500)))
  await recording
  const { entries, faults } = await sealed(store, 'default', 1500)
  t.same(faults, [])
  t.equal(entries.length, 1500)
}

async function recovers(t: Test, url: string, databases: Databases) {
  const store = await opened(t, url)
  const release = await holdSealers(t, url)
  await recordMany(store, 700)
  t.equal((await store.entries('default', 0, 10)).length, 0)
  await until(t, 'the lag is seen', () => store.sealing().waiting === 700)
  t.ok(store.sealing().oldestSeconds > 0)
  await release()
  const superuser = databases.superuser(url)
  const kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'imagegate'"
  for (let round = 0; round < 5; round += 1) await queryAt(superuser, kill)
  const { entries, faults } = await sealed(store, 'default', 700)
  t.same(faults, [])
  t.equal(entries.length, 700)
  await until(t, 'the lag is gone', () => store.sealing().waiting === 0)
}

async function isBounded(t: Test, url: string) {
  const store = await opened(t, url, 50)
  const release = await holdSealers(t, url)
  await recordMany(store, 60)
  await until(t, 'the bound is seen', () => store.sealing().waiting === 60)
  await t.rejects(store.record(makeRecord()), { code: 'OVERLOADED', message: /wait to be sealed/ })
  await release()
  await until(t, 'the lag is gone', () => store.sealing().waiting === 0)
  await t.resolves(store.record(makeRecord()))
  t.equal((await sealed(store, 'default', 61)).entries.length, 61)
}

async function isBoundedThoughSealingFails(t: Test, url: string, databases: Databases) {
  const logged: unknown[] = []
  const log = (values: object, message: string) => logged.push({ ...values, message })
  const store = await openPostgresStore({ url, maxUnsealed: 50, log: { info: log, warn: log } })
  t.teardown(() => store.close())
  const superuser = databases.superuser(url)
  await queryAt(
    superuser,
    `CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN RAISE EXCEPTION 'the chain takes nothing' USING DETAIL = 'a row: ' || NEW.verdict_id; END $$`,
    'CREATE TRIGGER refuses BEFORE INSERT ON chain FOR EACH ROW EXECUTE FUNCTION refuses()',
  )
  await recordMany(store, 60)
  await until(t, 'the bound is seen', () => store.sealing().waiting === 60)
  await t.rejects(store.record(makeRecord()), { code: 'OVERLOADED', message: /wait to be sealed/ })
  const { oldestSeconds } = store.sealing()
  await until(t, 'the age of the oldest grows', () => store.sealing().oldestSeconds > oldestSeconds + 1)
  t.match(logged, [{ reason: /the chain takes nothing/, state: 'P0001', message: /Sealing the chain failed/ }])
  t.notMatch(JSON.stringify(logged), /a row:/, 'the log quotes no row')
  t.equal(logged.length, 1, 'it is told once')
  await queryAt(superuser, 'DROP TRIGGER refuses ON chain')
  await until(t, 'the lag is gone', () => store.sealing().waiting === 0)
  t.match(logged[1], { message: 'The chain is sealed again' })
  await t.resolves(store.record(makeRecord()))
  const { entries, faults } = await sealed(store, 'default', 61)
  t.same([entries.length, faults], [61, []])
}

async function sealsOnClose(t: Test, url: string) {
  const first = await openPostgresStore({ url })
  const release = await holdSealers(t, url)
  await recordMany(first, 20)
  await release()
  await first.close()
  t.same(await queryAt(url, "SELECT set_config('imagegate.tenant', '*', false)", 'SELECT FROM unsealed'), [])
}

async function sealsWhatWasThere(t: Test, url: string) {
  const first = await openPostgresStore({ url })
  const release = await holdSealers(t, url)
  await recordMany(first, 1200)
  await first.close()
  await release()
  const second = await opened(t, url)
  const { entries, faults } = await readChain(second, 'default')
  t.same(faults, [])
  t.equal(entries.length, 1200, 'before the store is open, all of them')
}

async function isAppendOnly(t: Test, url: string) {
  const store = await opened(t, url)
  await recordMany(store, 3)
  await sealed(store, 'default', 3)
  const everybody = "SELECT set_config('imagegate.tenant', '*', false)"
  const release = await holdSealers(t, url)
  await queryAt(
    url,
    everybody,
    "INSERT INTO checkpoints VALUES ('default', 1, 1, 'a', 'b', 'c', 'd', 'e')",
    "INSERT INTO unsealed VALUES ('default', 'waits', 'x')",
  )
  const refused = [
    "UPDATE chain SET record_digest = 'x'",
    'DELETE FROM chain',
    'TRUNCATE chain',
    "INSERT INTO chain VALUES ('default', 5, 'x', 'x', 'x', 'x')",
    "INSERT INTO chain VALUES ('default', 3, 'x', 'x', 'x', 'x')",
    "INSERT INTO chain SELECT tenant, 4, verdict_id, 'x', link, 'x' FROM chain WHERE sequence = 2",
    "UPDATE checkpoints SET at = 'x'",
    'DELETE FROM checkpoints',
    'TRUNCATE checkpoints',
    "INSERT INTO checkpoints VALUES ('default', 3, 3, 'x', 'x', 'x', 'x', 'x')",
    "INSERT INTO checkpoints VALUES ('default', 2, 1, 'x', 'x', 'x', 'x', 'x')",
    "UPDATE unsealed SET verdict_id = 'x'",
    'DELETE FROM unsealed',
    'TRUNCATE unsealed',
    'UPDATE daily_counts SET verdicts = verdicts - 1',
    "UPDATE daily_counts SET verdicts = verdicts + 1, day = '2020-01-01'",
    'DELETE FROM daily_counts',
    'TRUNCATE daily_counts',
  ]
  for (const sql of refused) await t.rejects(queryAt(url, everybody, sql), { code: /^23/ }, sql)
  await release()
  t.same(await queryAt(url, 'SELECT * FROM chain'), [], 'who names no tenant sees nothing')
}

const tests: readonly (readonly [name: string, run: InDatabase])[] = [
  ['three sealers at once never fork the chain', neverForks],
  ['what waits is seen, and is sealed when connections are lost meanwhile', recovers],
  ['above the bound of what waits, recording is overloaded until it is sealed', isBounded],
  ['so it is when the chain refuses what is sealed, and the lag is seen', isBoundedThoughSealingFails],
  ['a store that closes seals what it recorded', sealsOnClose],
  ['what waited when the database is opened is sealed before it is open', sealsWhatWasThere],
  ['no statement changes, deletes or skips an entry or a checkpoint', isAppendOnly],
]

test('sealing on PostgreSQL', { skip: noPostgres }, async (t) => {
  const databases = await startPostgres(t)
  for (const [name, run] of tests) await t.test(name, async (t) => run(t, await databases.create(), databases))
})
