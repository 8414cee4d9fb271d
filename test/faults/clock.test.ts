import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { databasesOf, noOwnPostgres, queryAt, startCluster } from '../support/postgres.ts'
import { serve } from '../support/service.ts'
import { expectChained, rowsOfFile } from '../support/storm.ts'
import { Subject } from './fault.ts'

/** The library of Debian's package faketime, which moves a process's clock while it runs. */
const library = readdirSync('/usr/lib')
  .map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`)
  .find((file) => existsSync(file))

const skip = library === undefined ? 'faketime is not installed' : false

t.test(
  'a clock that jumps back and ahead changes neither the order of ids nor that of times or of the chain',
  { skip },
  async (t) => {
    const directory = t.testdir()
    const file = join(directory, 'imagegate.db')
    const clock = join(directory, 'clock')
    const jump = (by: string) => writeFileSync(clock, by)
    jump('+0')
    const settings = {
      IMAGEGATE_DATABASE_URL: `file:${file}`,
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
    const service = await serve(settings)
    const subject = new Subject(t, service)
    const asOf: string[] = []
    const post = async (of = subject) => {
      const answer = await of.post()
      t.equal(answer.status, 201)
      asOf.push(JSON.parse(answer.body).asOf)
    }
    for (const by of ['+0', '-1d', '-20m', '+3d', '-1h', '+3d']) {
      jump(by)
      for (let index = 0; index < 5; index += 1) await post()
      t.equal((await subject.get('/health/ready')).status, 200, `it is ready at ${by}`)
    }
    t.ok(Date.parse(asOf[5] ?? '') < Date.parse(asOf[0] ?? '') - 80_000_000, 'the clock did jump back')
    t.equal((await subject.post('image-0')).status, 201, 'no key expired early')
    t.same(await subject.recorded(), subject.acknowledged, 'ids are in the order of recording')
    t.same(await service.end('SIGTERM'), [0, null])

    // Half an hour back while it was stopped: what it recorded before still comes first.
    jump('+257400')
    const again = await serve(settings)
    const later = new Subject(t, again, subject)
    await post(later)
    await post(later)
    t.same(await later.recorded(), later.acknowledged, 'also after a start')
    t.same(await again.end('SIGTERM'), [0, null])

    const rows = rowsOfFile(file)
    const verdicts = await rows('SELECT id, recorded_at, image_name FROM verdicts ORDER BY id')
    const times = verdicts.map(({ recorded_at: at }) => String(at))
    t.same(times, times.toSorted(), 'times never go back')
    const chained = await rows('SELECT verdict_id AS id FROM chain ORDER BY sequence')
    t.same(
      chained.map(({ id }) => id),
      verdicts.map(({ id }) => id),
      'the chain has the same order',
    )
    await expectChained(t, rows)
  },
)

t.test(
  'a record of a clock that was days ahead does not hold up the clock after the next start',
  { skip },
  async (t) => {
    const file = join(t.testdir(), 'imagegate.db')
    const settings = { IMAGEGATE_DATABASE_URL: `file:${file}` }
    const wrong = await serve({ ...settings, LD_PRELOAD: library ?? '', FAKETIME: '+30d' })
    t.equal((await new Subject(t, wrong).post('early')).status, 201)
    await wrong.end('SIGTERM')
    const right = await serve(settings)
    const answer = await new Subject(t, right).post('late')
    const apart = Math.abs(Date.parse(JSON.parse(answer.body).recordedAt) - Date.now())
    t.ok(apart < 60_000, `recordedAt is that of the clock: ${apart} ms apart`)
    t.ok(
      right.log.some((line) => line.includes('ahead of the clock')),
      'the log says so',
    )
    await right.end('SIGTERM')
  },
)

/** Purges keys as the service does each minute, in a process whose clock is wrong. */
async function purgeAt(clock: string, url: string): Promise<number | null> {
  const dist = new URL('../../dist/audit/', import.meta.url)
  const script = `import { openPool } from '${new URL('postgres-connection.js', dist)}'
    import { purgeKeys } from '${new URL('postgres-upkeep.js', dist)}'
    const pool = openPool({ url: process.argv[1], size: 1 })
    await purgeKeys(pool)
    await pool.end()`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script, url], {
    env: { ...process.env, NODE_OPTIONS: '', LD_PRELOAD: library ?? '', FAKETIME: clock },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(child, 'exit')
  return code
}

t.test(
  'on PostgreSQL replicas whose clocks are days apart keep each key a day, and one that starts behind goes on in order',
  { skip: skip || noOwnPostgres },
  async (t) => {
    const databases = await databasesOf((await startCluster(t)).superuser())
    const url = await databases.create()
    const keys = async () => {
      const rows = await queryAt(
        databases.superuser(url),
        `SELECT key, abs(extract(epoch FROM clock_timestamp()) * 1000 - created_at)::float AS apart FROM idempotency_keys ORDER BY key`,
      )
      return rows.map(({ key, apart }) => ({ key: String(key), apart: Number(apart) }))
    }
    const verdict = async (id: string) => {
      const [row] = await queryAt(databases.superuser(url), `SELECT body FROM verdicts WHERE id = '${id}'`)
      return JSON.parse(String(row?.['body']))
    }
    const settings = { IMAGEGATE_DATABASE_URL: url }
    const clocks = { right: '+0', ahead: '+3d', behind: '-3d' }
    const replicas = await Promise.all(
      Object.entries(clocks).map(async ([name, by]) => {
        const service = await serve({ ...settings, LD_PRELOAD: library ?? '', FAKETIME: by })
        return { name, by, service, subject: new Subject(t, service) }
      }),
    )
    const first = new Map<string, unknown>()
    for (const { name, by, subject } of replicas) {
      const { status, body } = await subject.post(name)
      t.equal(status, 201)
      const { id, asOf } = JSON.parse(body)
      first.set(name, id)
      const days = Math.round((Date.parse(asOf) - Date.now()) / 86_400_000)
      t.equal(days, Number.parseInt(by, 10), `its clock is that of ${by}`)
    }
    const stamped = await keys()
    t.equal(stamped.length, 3)
    t.ok(
      stamped.every(({ apart }) => apart < 60_000),
      `keys have the server's time: ${JSON.stringify(stamped)}`,
    )

    // By the server's clock a day old, and not quite.
    await queryAt(
      databases.superuser(url),
      `INSERT INTO idempotency_keys SELECT 'default', name, 'f', 'v', extract(epoch FROM now()) * 1000 - hours * 3600000
       FROM (VALUES ('old', 24.1), ('kept', 23.9)) AS stamps (name, hours)`,
    )
    for (const clock of Object.values(clocks)) t.equal(await purgeAt(clock, url), 0)
    t.same(
      (await keys()).map(({ key }) => key),
      ['ahead', 'behind', 'kept', 'right'],
      'only what is a day old is gone, whichever replica purged',
    )
    for (const { subject } of replicas) {
      for (const [name, id] of first) {
        const { status, body } = await subject.post(name)
        t.same([status, JSON.parse(body).id], [201, id], 'the key gives its first verdict at every replica')
      }
    }
    for (const { service } of replicas) t.same(await service.end('SIGTERM'), [0, null])

    // Half an hour back while it was stopped: what was recorded by a right clock still comes first.
    const before = await verdict(String(first.get('right')))
    const again = await serve({ ...settings, LD_PRELOAD: library ?? '', FAKETIME: '-30m' })
    const later = new Subject(t, again)
    for (const name of ['later', 'latest']) {
      const { status, body } = await later.post(name)
      t.equal(status, 201)
      const after = await verdict(JSON.parse(body).id)
      t.ok(Date.parse(after.asOf) < Date.now() - 29 * 60_000, 'its clock is behind')
      t.ok(after.id > before.id, 'its id comes after')
      t.ok(after.recordedAt >= before.recordedAt, 'and so does its time')
    }
    t.ok(
      again.log.some((line) => line.includes('ahead of the clock')),
      'the log says that one was recorded days ahead',
    )
    t.same(await again.end('SIGTERM'), [0, null])
  },
)
