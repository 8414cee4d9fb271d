import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { test } from 'tap'
import { GroupCommit } from '../../server/audit/group-commit.ts'
import { newIdentity, timeOfId } from '../../server/audit/identity.ts'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import type { WriteRequest } from '../../server/audit/write-request.ts'
import { Writer } from '../../server/audit/writer.ts'
import { ImagegateError } from '../../server/errors.ts'
import { readAt } from './contract-reads.ts'
import { makeRecord } from './records.ts'

/** A queue whose commits end when the test says so. */
function slowQueue(limits = {}) {
  const batches: (readonly string[])[] = []
  const ends: ((error?: Error) => void)[] = []
  const queue = new GroupCommit<string, string>({
    batchItems: 4,
    batchBytes: 100,
    waitingItems: 8,
    waitingBytes: 1000,
    ...limits,
    commit: (items) => {
      batches.push(items)
      return new Promise((resolve, reject) => {
        ends.push((error) => (error ? reject(error) : resolve(items.map((item) => `${item}!`))))
      })
    },
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return { queue, batches, ends, turn }
}

test('the next batch gathers while the last one commits', async (t) => {
  const { queue, batches, ends, turn } = slowQueue()
  const first = queue.add('a', 1)
  await turn()
  const others = ['b', 'c', 'd', 'e', 'f'].map((item) => queue.add(item, 1))
  await turn()
  t.same(batches, [['a']], 'one commit at a time')
  ends[0]?.()
  t.equal(await first, 'a!')
  await turn()
  t.same(batches, [['a'], ['b', 'c', 'd', 'e']], 'a batch has a greatest length')
  ends[1]?.()
  await turn()
  ends[2]?.()
  t.same(await Promise.all(others), ['b!', 'c!', 'd!', 'e!', 'f!'])
})

test('a batch is bounded in bytes, yet takes one item of any size', async (t) => {
  const { queue, batches, ends, turn } = slowQueue()
  const all = [60, 60, 500, 10, 10].map((bytes, index) => queue.add(String(index), bytes))
  for (let index = 0; index < 4; index += 1) {
    await turn()
    await turn()
    ends[index]?.()
  }
  await Promise.all(all)
  t.same(batches, [['0'], ['1'], ['2'], ['3', '4']])
})

test('a failed commit fails its batch alone', async (t) => {
  const { queue, ends, turn } = slowQueue()
  const first = ['a', 'b'].map((item) => queue.add(item, 1))
  await turn()
  const second = queue.add('c', 1)
  ends[0]?.(new ImagegateError('STORE_UNAVAILABLE', 'no'))
  for (const each of first) await t.rejects(each, { code: 'STORE_UNAVAILABLE' })
  await turn()
  ends[1]?.()
  t.equal(await second, 'c!')
})

test('a full queue refuses with OVERLOADED, by number and by bytes, and takes again when it has room', async (t) => {
  const { queue, ends, turn } = slowQueue({ waitingItems: 2, waitingBytes: 50 })
  const first = queue.add('huge', 5000)
  await turn()
  const waiting = [queue.add('a', 10), queue.add('b', 10)]
  await t.rejects(queue.add('c', 1), { code: 'OVERLOADED' })
  ends[0]?.()
  await first
  await turn()
  const later = queue.add('d', 45)
  await t.rejects(queue.add('e', 10), { code: 'OVERLOADED' })
  ends[1]?.()
  await Promise.all(waiting)
  await turn()
  ends[2]?.()
  t.equal(await later, 'd!')
})

test('64 concurrent records share commits, and thousands at once meet back-pressure', async (t) => {
  const batches: number[] = []
  process.once('worker', (worker: Worker) => {
    const post = worker.postMessage.bind(worker)
    worker.postMessage = (message) => {
      if (Array.isArray(message)) batches.push(message.length)
      post(message)
    }
  })
  const store = await openSqliteStore({ file: join(t.testdir(), 'imagegate.db') })
  t.teardown(() => store.close())
  const loop = async () => {
    for (let round = 0; round < 5; round += 1) await store.record(makeRecord())
  }
  await Promise.all(Array.from({ length: 64 }, loop))
  t.equal(
    batches.reduce((sum, size) => sum + size),
    320,
  )
  t.ok(batches.length <= 20, `320 records in ${batches.length} commits: ${batches}`)

  const record = makeRecord()
  const crowd = Array.from({ length: 5000 }, () => {
    const { id, recordedAt } = newIdentity()
    return store.record({ ...record, verdict: { ...record.verdict, id, recordedAt } })
  })
  const results = await Promise.allSettled(crowd)
  const refused = results.filter((result) => result.status === 'rejected')
  t.ok(refused.length > 0)
  t.ok(refused.every(({ reason }) => reason instanceof ImagegateError && reason.code === 'OVERLOADED'))
  await t.resolves(store.record(makeRecord()))
})

test('when the writer dies, what it had in hand is STORE_UNAVAILABLE, and another one starts', async (t) => {
  const workers: Worker[] = []
  const watch = (worker: Worker) => workers.push(worker)
  process.on('worker', watch)
  t.teardown(() => process.off('worker', watch))
  const warnings: string[] = []
  const file = join(t.testdir(), 'imagegate.db')
  const store = await openSqliteStore({
    file,
    log: { warn: (_, message) => warnings.push(message), info: () => undefined },
  })
  t.teardown(() => store.close())
  const records = Array.from({ length: 600 }, () => makeRecord())
  const results = Promise.allSettled(records.map((record) => store.record(record)))
  await new Promise((resolve) => setImmediate(resolve))
  await workers[0]?.terminate()
  const settled = await results
  const rejected = settled.filter((result) => result.status === 'rejected')
  t.ok(rejected.length > 0 && rejected.length <= 256, `${rejected.length} were in hand`)
  t.ok(rejected.every(({ reason }) => reason instanceof ImagegateError && reason.code === 'STORE_UNAVAILABLE'))
  for (const [index, { verdict, body }] of records.entries()) {
    if (settled[index]?.status !== 'fulfilled') continue
    const found = await store.verdict('default', verdict.id)
    if (found?.body !== body) t.fail(`${verdict.id} was acknowledged and is lost`)
  }
  t.same(warnings, ['The writer of the database died', 'The writer of the database was started again'])
  t.equal(workers.length, 2)
})

test('a database that another process holds is STORE_UNAVAILABLE after a while, and works when it is let go', async (t) => {
  const file = join(t.testdir(), 'imagegate.db')
  const store = await openSqliteStore({ file })
  t.teardown(() => store.close())
  const other = new Database(file)
  t.teardown(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  await t.rejects(Promise.all([store.record(makeRecord()), store.check()]), { code: 'STORE_UNAVAILABLE' })
  t.same(await store.list('default', {}, 1), { verdicts: [] }, 'reading goes on')
  other.exec('ROLLBACK')
  t.same(await store.record(makeRecord()), { kind: 'recorded' })
  await t.resolves(store.check())
})

test('a read proves nothing of what a verdict needs: a check after it asks the database', async (t) => {
  const batches: (readonly WriteRequest[])[] = []
  const writer = new Writer(async (requests) => {
    batches.push(requests)
    return requests.map(() => ({ kind: 'recorded' }))
  })
  await writer.recordRead('default', readAt('2026-01-01T00:00:00Z', 1))
  await writer.check()
  t.match(batches, [[{ read: { tenant: 'default' } }], ['check']])
  await writer.record(makeRecord())
  await writer.check()
  t.equal(batches.length, 3, 'a verdict proves it')
})

test('identities rise strictly, within a millisecond and when the clock steps back', (t) => {
  const now = new Date(Date.now() + 60_000)
  const ids = Array.from({ length: 5000 }, () => newIdentity(now).id)
  t.same(ids, [...new Set(ids)].sort())
  t.equal(timeOfId(ids[0] ?? ''), now.getTime())
  const back = newIdentity(new Date(now.getTime() - 30_000))
  t.ok(back.id > (ids.at(-1) ?? ''))
  t.equal(back.recordedAt, now.toISOString(), 'time and id stay one')
  t.match(back.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  t.end()
})
