import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Test, test } from 'tap'
import { openPostgresReader, openPostgresStore } from '../../server/audit/postgres.ts'
import type { Store } from '../../server/audit/store.ts'
import { flakyProxy } from '../support/flaky-proxy.ts'
import { type Cluster, databasesOf, noOwnPostgres, queryAt, startCluster } from '../support/postgres.ts'
import { readAt } from './contract-reads.ts'
import { makeRecord } from './records.ts'

const unavailable = { code: 'STORE_UNAVAILABLE' }

/** Waits until a statement about the server gives rows. */
async function until(url: string, statement: string): Promise<Record<string, unknown>[]> {
  for (const end = Date.now() + 10_000; Date.now() < end; await sleep(20)) {
    const rows = await queryAt(url, statement)
    if (rows.length > 0) return rows
  }
  throw new Error(`never: ${statement}`)
}

/** Backends of the service in one database that wait for something. */
function waiting(url: string, event: string): string {
  const database = new URL(url).pathname.slice(1)
  return `SELECT pid FROM pg_stat_activity WHERE datname = '${database}' AND application_name = 'imagegate'
    AND (wait_event_type = '${event}' OR wait_event = '${event}')`
}

/** Until a record is taken again; says how many milliseconds it took. */
async function recovered(store: Store): Promise<number> {
  const start = performance.now()
  for (;;) {
    try {
      await store.record(makeRecord())
      return performance.now() - start
    } catch (error) {
      if (performance.now() - start > 15_000) throw error
      await sleep(50)
    }
  }
}

async function lost(t: Test, store: Store, records: readonly ReturnType<typeof makeRecord>[]): Promise<void> {
  for (const { verdict } of records) t.equal(await store.verdict('default', verdict.id), undefined)
}

test('a PostgreSQL that fails has a defined answer, and the store recovers by itself', {
  skip: noOwnPostgres,
  timeout: 180_000,
}, async (t) => {
  const cluster = await startCluster(t)
  const databases = await databasesOf(cluster.superuser())
  const opened = async (t: Test, url: string) => {
    const store = await openPostgresStore({ url })
    t.teardown(() => store.close())
    return store
  }

  await t.test('a backend that is killed in the middle of a batch leaves nothing of it', async (t) => {
    const url = await databases.create()
    const store = await opened(t, url)
    const keeper = new pg.Client({ connectionString: databases.superuser(url) })
    await keeper.connect()
    await keeper.query('BEGIN; LOCK TABLE missing_facts IN ACCESS EXCLUSIVE MODE')
    const records = [1, 2, 3].map(() => makeRecord({ missing: ['/os'] }))
    const results = Promise.allSettled(records.map((record) => store.record(record)))
    const [{ pid } = {}] = await until(cluster.superuser(), waiting(url, 'Lock'))
    await queryAt(cluster.superuser(), `SELECT pg_terminate_backend(${pid})`)
    for (const result of await results) t.match(result, { status: 'rejected', reason: unavailable })
    await keeper.query('ROLLBACK')
    await keeper.end()
    await lost(t, store, records)
    t.match(await store.record(makeRecord()), { kind: 'recorded' })
  })

  await t.test('a lock that is never given fails the batch in bounded time', async (t) => {
    const url = await databases.create()
    const store = await opened(t, url)
    const keeper = new pg.Client({ connectionString: databases.superuser(url) })
    await keeper.connect()
    await keeper.query('BEGIN; LOCK TABLE verdicts IN SHARE MODE')
    const start = performance.now()
    const record = makeRecord()
    await t.rejects(store.record(record), { ...unavailable, message: /55P03/ })
    t.ok(performance.now() - start < 20_000, 'within the time for a lock')
    await keeper.query('ROLLBACK')
    await keeper.end()
    await lost(t, store, [record])
    t.match(await store.record(record), { kind: 'recorded' })
  })

  await t.test('a commit whose answer is lost is not acknowledged, and its key finds it later', async (t) => {
    const url = new URL(await databases.create())
    const direct = await opened(t, url.href)
    const proxy = await flakyProxy(t, cluster.port)
    url.port = String(proxy.port)
    const store = await opened(t, url.href)
    await store.record(makeRecord())
    // The sealer commits over the same proxy: what is cut may be its commit, or a connection before it was used.
    const keys: string[] = []
    const kept = async (key: string) => (await direct.idempotent('default', key)) !== undefined
    for (let found = false; !found && keys.length < 20; ) {
      const key = `k-${keys.length}`
      keys.push(key)
      const idempotency = { key, fingerprint: 'f' }
      const record = makeRecord({ facts: 'cut', idempotency })
      proxy.cutAfter('COMMIT')
      const error = await store.record(record).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (error === undefined) continue
      t.match(error, unavailable)
      if (!(await kept(key))) continue
      const again = makeRecord({ facts: 'cut', idempotency })
      t.same(await store.record(again), { kind: 'replayed', id: record.verdict.id, body: record.body })
      found = true
    }
    t.ok(await kept(keys.at(-1) ?? ''), 'a commit was cut off from its answer')
    const there = await Promise.all(keys.map(kept))
    const { verdicts } = await direct.list('default', {}, 100)
    t.equal(verdicts.length, 1 + there.filter(Boolean).length, 'none was made twice')
  })

  await t.test('a connection that flaps or falls silent is given up, and replaced', async (t) => {
    const url = new URL(await databases.create())
    const proxy = await flakyProxy(t, cluster.port)
    url.port = String(proxy.port)
    const store = await opened(t, url.href)
    await store.record(makeRecord())
    for (let round = 0; round < 5; round += 1) {
      proxy.cutAll()
      t.ok((await recovered(store)) < 10_000)
      t.equal(await store.verdict('default', 'none'), undefined)
    }
    proxy.hold()
    const start = performance.now()
    await t.rejects(Promise.all([store.record(makeRecord()), store.list('default', {}, 1)]), unavailable)
    await t.rejects(store.check(), unavailable)
    t.ok(performance.now() - start < 25_000, 'within the time for an answer')
    proxy.release()
    t.ok((await recovered(store)) < 10_000)
    await t.resolves(store.check())
  })

  await t.test('a wait for the standby that somebody cancels is no acknowledgement', async (t) => {
    const url = await databases.create()
    const store = await opened(t, url)
    const record = makeRecord({ facts: 'alone', idempotency: { key: 'k', fingerprint: 'f' } })
    const set = (names: string) =>
      queryAt(cluster.superuser(), `ALTER SYSTEM SET synchronous_standby_names = '${names}'`, 'SELECT pg_reload_conf()')
    await set('nobody')
    await until(cluster.superuser(), "SELECT 1 WHERE current_setting('synchronous_standby_names') = 'nobody'")
    const refused = t.rejects(store.record(record), { ...unavailable, message: /did not confirm/ })
    const [{ pid } = {}] = await until(cluster.superuser(), waiting(url, 'SyncRep'))
    await queryAt(cluster.superuser(), `SELECT pg_cancel_backend(${pid})`)
    await refused
    await set('')
    await until(cluster.superuser(), "SELECT 1 WHERE current_setting('synchronous_standby_names') = ''")
    t.match(
      await store.record({ ...record, ...makeRecord({ facts: 'alone', idempotency: { key: 'k', fingerprint: 'f' } }) }),
      {
        kind: 'replayed',
        id: record.verdict.id,
      },
    )
  })

  await t.test('commits are durable whatever the role’s default is', async (t) => {
    const url = await databases.create()
    await queryAt(
      databases.superuser(url),
      `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET synchronous_commit = off`,
    )
    const store = await opened(t, url)
    const seen = `CREATE TABLE seen (value text); GRANT INSERT ON seen TO public;
      CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
      CREATE TRIGGER look AFTER INSERT ON verdicts FOR EACH STATEMENT EXECUTE FUNCTION look()`
    await queryAt(databases.superuser(url), seen)
    await store.record(makeRecord())
    t.same(await queryAt(databases.superuser(url), 'SELECT DISTINCT value FROM seen'), [{ value: 'on' }])
  })

  await t.test('a server that stops or crashes is unavailable, and nothing acknowledged is gone', async (t) => {
    const url = await databases.create()
    const store = await opened(t, url)
    const acknowledged: string[] = []
    let posting = true
    const clients = Array.from({ length: 16 }, async () => {
      while (posting) {
        const record = makeRecord()
        try {
          await store.record(record)
          acknowledged.push(record.verdict.id)
        } catch (error) {
          t.match(error, unavailable)
          await sleep(20)
        }
      }
    })
    for (const signal of ['SIGINT', 'SIGKILL', 'SIGQUIT'] as const) {
      await sleep(200)
      await cluster.stop(signal)
      await t.rejects(store.check(), unavailable)
      await t.rejects(store.list('default', {}, 1), unavailable)
      await restarted(cluster)
      t.ok((await recovered(store)) < 10_000, `after ${signal}`)
      await t.resolves(store.check())
    }
    posting = false
    await Promise.all(clients)
    t.ok(acknowledged.length >= 16, `${acknowledged.length} acknowledged`)
    let missing = 0
    for (const id of acknowledged) if ((await store.verdict('default', id)) === undefined) missing += 1
    t.equal(missing, 0, `of ${acknowledged.length} acknowledged verdicts`)
  })

  await t.test('a replica answers audit queries, and the primary what it does not have yet', async (t) => {
    const url = await databases.create()
    const standby = await cluster.standby(t)
    const readUrl = Object.assign(new URL(url), { port: String(standby.port) }).href
    const store = await openPostgresStore({ url, readUrl })
    t.teardown(() => store.close())
    const old = makeRecord()
    await store.record(old)
    const listed = async () => (await store.list('default', {}, 10)).verdicts.map(({ id }) => id)
    for (const end = Date.now() + 10_000; (await listed()).length === 0 && Date.now() < end; ) await sleep(20)
    t.same(await listed(), [old.verdict.id])
    await queryAt(standby.superuser(), 'SELECT pg_wal_replay_pause()')
    const fresh = makeRecord({ facts: 'fresh', version: '1.0.1', idempotency: { key: 'k', fingerprint: 'f' } })
    await store.record(fresh)
    t.same(await listed(), [old.verdict.id], 'a list may lag behind')
    await store.recordRead('default', readAt('2026-11-25T00:00:00Z', 1))
    t.same(await store.reads('default', {}, 1), { reads: [] }, 'and so may the list of reads')
    const { verdict, body, document } = fresh
    t.equal((await store.verdict('default', verdict.id))?.body, body)
    t.equal(await store.document('default', verdict.documentDigest), document)
    t.equal(await store.policyBody(verdict.policy.digest), fresh.policies[0]?.body)
    t.equal((await store.records('default', [verdict.id, old.verdict.id])).length, 2)
    t.match(await store.idempotent('default', 'k'), { id: verdict.id })
    const reader = await openPostgresReader({ url, readUrl })
    t.equal((await reader.verdict('default', verdict.id))?.body, body)
    await reader.close()
    await standby.stop()
    t.same(await listed(), [verdict.id, old.verdict.id], 'without the replica the primary answers')
    t.equal((await store.reads('default', {}, 1)).reads.length, 1)
  })
})

async function restarted(cluster: Cluster): Promise<void> {
  for (const end = Date.now() + 20_000; ; await sleep(100)) {
    try {
      return await cluster.start()
    } catch (error) {
      // After a crash the old children may hold the cluster for a moment.
      if (Date.now() > end) throw error
    }
  }
}
