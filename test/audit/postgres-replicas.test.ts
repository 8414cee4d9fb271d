import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'tap'
import { openPostgresReader, openPostgresStore } from '../../server/audit/postgres.ts'
import type { RecordResult, Store } from '../../server/audit/store.ts'
import { noPostgres, queryAt, startPostgres } from '../support/postgres.ts'
import { makeRecord } from './records.ts'

const count = (results: readonly RecordResult[], kind: string) => results.filter((each) => each.kind === kind).length

test('replicas share one PostgreSQL', { skip: noPostgres }, async (t) => {
  const databases = await startPostgres(t)
  const url = await databases.create()
  let stores: readonly Store[] = []

  await t.test('three that start at the same moment migrate once', async (t) => {
    await t.rejects(openPostgresReader({ url }), { code: 'STORE_INCOMPATIBLE' }, 'a reader migrates nothing')
    stores = await Promise.all([1, 2, 3].map(() => openPostgresStore({ url })))
    const rows = await queryAt(url, 'SELECT name, count(*) FROM migrations GROUP BY name ORDER BY name')
    t.ok(rows.length >= 3)
    t.ok(rows.every(({ count }) => count === '1'))
    t.match(rows[0], { name: '0001-initial.sql' })
  })
  t.teardown(() => Promise.all(stores.map((store) => store.close())))
  const [one, other] = stores
  if (one === undefined || other === undefined) return

  await t.test('equal keys at the same moment on both give one verdict', async (t) => {
    const tenant = 'keys'
    const idempotency = (index: number) => ({ key: `k${index % 40}`, fingerprint: index < 360 ? 'f' : 'g' })
    const records = Array.from({ length: 400 }, (_, index) =>
      makeRecord({ tenant, facts: `${index % 7}`, idempotency: idempotency(index) }),
    )
    const results = await Promise.all(records.map((record, index) => (index % 2 === 0 ? one : other).record(record)))
    t.same([count(results, 'recorded'), count(results, 'replayed') + count(results, 'conflict')], [40, 360])
    t.equal((await one.list(tenant, {}, 500)).verdicts.length, 40)
    for (let key = 0; key < 40; key += 1) {
      const first = await other.idempotent(tenant, `k${key}`)
      const replays = results.filter((result, index) => index % 40 === key && result.kind === 'replayed')
      t.ok(replays.length > 0)
      t.ok(
        replays.every((result) => result.kind === 'replayed' && result.id === first?.id && result.body === first?.body),
      )
    }
  })

  await t.test('documents and policies that both send in every order keep nobody waiting in a circle', async (t) => {
    const tenant = 'bodies'
    const send = (store: Store, order: number) =>
      Promise.all(
        Array.from({ length: 300 }, (_, index) => {
          const facts = String(order > 0 ? index % 100 : 99 - (index % 100))
          return store.record(
            makeRecord({
              tenant,
              facts,
              version: `1.0.${facts}`,
              idempotency: { key: `${order}${index}`, fingerprint: 'f' },
            }),
          )
        }),
      )
    const results = (await Promise.all([send(one, 1), send(other, -1)])).flat()
    t.equal(count(results, 'recorded'), 600)
  })

  await t.test('a bundle that one took is refused by the other when it is older', async (t) => {
    const bundle = (sequence: number) => ({ sequence, digest: `sha256:${sequence}`, signedBy: 'sha256:key' })
    const sequences = [1, 2, 3, 4, 5, 6]
    await Promise.allSettled(
      sequences.map((sequence, index) => (index % 2 === 0 ? one : other).acceptBundle(bundle(sequence))),
    )
    await one.acceptBundle(bundle(7))
    await t.rejects(other.acceptBundle(bundle(6)), { code: 'BUNDLE_ROLLBACK' })
    await t.resolves(other.acceptBundle(bundle(7)))
  })

  await t.test('what was counted of a candidate by both is the sum', async (t) => {
    const digest = `sha256:${'c'.repeat(64)}`
    const shadow = {
      candidate: { digest, family: 'linux', version: '9.9.9', body: 'candidate' },
      outcome: 'not_ready' as const,
      differences: [],
    }
    const send = (store: Store) =>
      Promise.all(Array.from({ length: 100 }, () => store.record({ ...makeRecord({ tenant: 'shadow' }), shadow })))
    await Promise.all([send(one), send(other)])
    t.same(await one.shadowCounts('shadow', digest), [{ from: 'ready', to: 'not_ready', evaluations: 200 }])
  })

  await t.test('requests are counted over both, each told its place, and anew in the next window', async (t) => {
    const counted = await Promise.all(
      Array.from({ length: 300 }, (_, index) => (index % 2 === 0 ? one : other).countRequest?.('key:a', 3_600_000)),
    )
    const places = counted.map((count) => count?.requests ?? 0).sort((first, second) => first - second)
    t.same(
      places,
      Array.from({ length: 300 }, (_, index) => index + 1),
      'none is told twice',
    )
    t.ok(counted.every((count) => count !== undefined && count.remainingMs > 0 && count.remainingMs <= 3_600_000))
    t.match(await one.countRequest?.('key:b', 3_600_000), { requests: 1 }, 'another caller has its own')
    const short = 300
    const first = await one.countRequest?.('key:c', short)
    t.equal(first?.requests, 1)
    await sleep((first?.remainingMs ?? 0) + 20)
    t.match(await other.countRequest?.('key:c', short), { requests: 1 })
  })
})
