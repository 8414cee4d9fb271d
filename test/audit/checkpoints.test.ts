import { generateKeyPairSync } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type Test, test } from 'tap'
import { checkSignature, maxSegment } from '../../server/audit/chain.ts'
import { makeCheckpoints } from '../../server/audit/checkpoint-maker.ts'
import { type CheckpointOptions, Checkpoints } from '../../server/audit/checkpoints.ts'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import type { Store } from '../../server/audit/store.ts'
import { keyName } from '../../server/policy/bundle-key.ts'
import { makeRecord } from './records.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const next = generateKeyPairSync('ed25519')

/** A store, its file, and a directory outside; log lines are kept. */
async function room(t: Test) {
  const root = t.testdir()
  const file = join(root, 'imagegate.db')
  const directory = join(root, 'outside', 'checkpoints')
  const store = await openSqliteStore({ file })
  const log: { level: string; details: object; message: string }[] = []
  const say = (level: string) => (details: object, message: string) => log.push({ level, details, message })
  const open: Checkpoints[] = []
  t.teardown(async () => {
    for (const checkpoints of open) await checkpoints.close()
    await store.close()
  })
  const start = async (options: Partial<CheckpointOptions> = {}) => {
    const checkpoints = await Checkpoints.start({
      store,
      key: privateKey,
      directory,
      seconds: 3600,
      log: { warn: say('warn'), info: say('info') },
      now: () => new Date(),
      ...options,
    })
    open.push(checkpoints)
    return checkpoints
  }
  return { file, directory, store, log, start }
}

const record = (store: Store, count: number, tenant = 'default') =>
  Promise.all(Array.from({ length: count }, () => store.record(makeRecord({ tenant }))))

function linesOf(directory: string): string[] {
  return readdirSync(directory)
    .sort()
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1))
}

async function until(t: Test, what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000
  while (performance.now() < end) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  t.fail(`${what} did not come true in 15 seconds`)
}

test('checkpoints cover every tenant from 1 without gaps, and lie outside as in the database', async (t) => {
  const { store, directory, start } = await room(t)
  await record(store, 5)
  await record(store, 2, 'other')
  const first = await start()
  await until(t, 'all is covered', () => first.state.uncovered === 0 && first.state.made === 2)
  await record(store, 3)
  await first.close()
  t.equal(first.state.made, 3, 'a last checkpoint was made at the end')
  t.equal(first.state.covered, 10)
  const mine = await store.checkpoints('default', 0, 10)
  t.same(
    mine.map(({ from, sequence }) => [from, sequence]),
    [
      [1, 5],
      [6, 8],
    ],
  )
  const theirs = await store.checkpoints('other', 0, 10)
  const all = [...mine, ...theirs]
  for (const checkpoint of all) t.equal(checkSignature(checkpoint, [publicKey]), 'valid')
  const sorted = (texts: readonly unknown[]) => texts.map((one) => JSON.stringify(one)).sort()
  const parsed = linesOf(directory).map((line): unknown => JSON.parse(line))
  t.equal(parsed.length, 3)
  t.same(
    sorted(parsed.map((one) => Object.entries(Object(one)).sort())),
    sorted(all.map((one) => Object.entries(one).sort())),
  )
  for (const name of readdirSync(directory)) {
    t.match(name, /^checkpoints-\d{4}-\d\d\.ndjson$/)
    t.equal(statSync(join(directory, name)).mode & 0o777, 0o600)
  }
  t.equal(statSync(directory).mode & 0o777, 0o700)
})

test('a checkpoint is made whenever 4096 verdicts wait, without waiting for the interval', async (t) => {
  const { store, start } = await room(t)
  const checkpoints = await start({ directory: undefined })
  await until(t, 'the first pass is over', () => checkpoints.state.coveredAt !== undefined)
  for (let round = 0; round < 4; round += 1) await record(store, 1040)
  await until(t, 'a full segment is covered', () => checkpoints.state.made === 1)
  t.match(await store.checkpoints('default', 0, 10), [{ from: 1, sequence: maxSegment }])
  await checkpoints.close()
  t.match(await store.checkpoints('default', maxSegment, 10), [{ from: maxSegment + 1, sequence: 4160 }])
})

test('without a key nothing is signed, and that is said once', async (t) => {
  const { store, log, start } = await room(t)
  await record(store, 3)
  const checkpoints = await start({ key: undefined, seconds: 1 })
  await until(t, 'a pass was made', () => checkpoints.state.uncovered === 3)
  await new Promise((resolve) => setTimeout(resolve, 1200))
  await checkpoints.close()
  t.same(await store.checkpoints('default', 0, 10), [])
  t.equal(log.filter(({ message }) => message.startsWith('No checkpoint key')).length, 1)
})

test('a new key signs what follows, and each checkpoint names its own', async (t) => {
  const { store, start } = await room(t)
  await record(store, 2)
  await (await start()).close()
  await record(store, 2)
  await (await start({ key: next.privateKey })).close()
  const made = await store.checkpoints('default', 0, 10)
  t.same(
    made.map(({ key }) => key),
    [keyName(publicKey), keyName(next.publicKey)],
  )
  for (const one of made) t.equal(checkSignature(one, [next.publicKey, publicKey]), 'valid')
})

test('a line that a crash cut off is made whole, and what the directory lacks is added', async (t) => {
  const { store, directory, start } = await room(t)
  for (let round = 0; round < 3; round += 1) {
    await record(store, 2)
    await (await start()).close()
  }
  const whole = linesOf(directory)
  t.equal(whole.length, 3)
  const [name = ''] = readdirSync(directory)
  const path = join(directory, name)
  const { size } = statSync(path)
  for (const cut of [1, 2, 100, Buffer.byteLength(`${whole[2]}\n`), size - 1, size]) {
    truncateSync(path, size - cut)
    await (await start({ key: undefined })).close()
    t.same(linesOf(directory), whole, `${cut} bytes were lost`)
  }
  appendFileSync(path, 'torn')
  await record(store, 2)
  await (await start()).close()
  t.same(linesOf(directory).slice(0, 3), whole)
  t.equal(linesOf(directory).length, 4)
  t.ok(linesOf(directory).every((line) => JSON.parse(line)))
})

test('a chain that was changed behind its last checkpoint is not signed, and others are', async (t) => {
  const { store, file, log, start } = await room(t)
  await record(store, 4)
  await record(store, 2, 'other')
  await (await start()).close()
  await record(store, 4)
  await record(store, 2, 'other')
  const db = new Database(file)
  db.exec("DROP TRIGGER chain_keep_update; UPDATE chain SET record_digest = 'sha256:x' WHERE sequence = 6")
  db.close()
  const checkpoints = await start()
  await checkpoints.close()
  t.ok(checkpoints.state.failures > 0)
  t.equal((await store.checkpoints('default', 0, 10)).length, 1)
  t.equal((await store.checkpoints('other', 0, 10)).length, 2)
  t.match(
    log.filter(({ level }) => level === 'warn'),
    [{ details: { tenant: 'default', sequence: 6 } }],
  )
})

test('a database that knows less than the checkpoints outside is told of', async (t) => {
  const { store, directory, log, start } = await room(t)
  await record(store, 2)
  await (await start()).close()
  const [line = ''] = linesOf(directory)
  writeFileSync(join(directory, 'checkpoints-2000-01.ndjson'), `${line.replace('"sequence":2', '"sequence":9')}\n`)
  appendFileSync(
    join(directory, readdirSync(directory).at(-1) ?? ''),
    `${line.replace('"sequence":2', '"sequence":9')}\n`,
  )
  await (await start()).close()
  t.match(
    log.filter(({ level }) => level === 'warn'),
    [{ details: { tenant: 'default', outside: 9, sealed: 2 } }],
  )
})

test('a directory that cannot be written is refused at the start', async (t) => {
  const { file, start } = await room(t)
  await t.rejects(start({ directory: join(file, 'below') }), { code: 'FILE_UNREADABLE' })
})

test('two processes that make checkpoints at once make one of each segment', async (t) => {
  const { store } = await room(t)
  await record(store, 50)
  const options = {
    store,
    key: privateKey,
    log: { warn: () => undefined, info: () => undefined },
    now: () => new Date(),
  }
  const passes = await Promise.all([makeCheckpoints(options, true), makeCheckpoints(options, true)])
  t.same(passes.map(({ made }) => made).sort(), [0, 1])
  t.equal((await store.checkpoints('default', 0, 10)).length, 1)
})
