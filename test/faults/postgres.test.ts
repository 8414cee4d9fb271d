import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { noStrace } from '../audit/child.ts'
import { flakyProxy } from '../support/flaky-proxy.ts'
import { type Cluster, databasesOf, noOwnPostgres, queryAt, startCluster } from '../support/postgres.ts'
import { type Service, serve } from '../support/service.ts'
import { expectChained, rowsAt, sealed } from '../support/storm.ts'
import { fill, noMount, smallDisk } from './disk.ts'
import { Subject } from './fault.ts'

interface Stage {
  readonly service: Service
  readonly subject: Subject
  readonly cluster: Cluster
  /** The service's database, for the superuser. */
  readonly superuser: string
}

async function start(t: Test, through = async (port: number) => port): Promise<Stage> {
  const cluster = await startCluster(t)
  const databases = await databasesOf(cluster.superuser())
  const created = await databases.create()
  const url = new URL(created)
  url.port = String(await through(cluster.port))
  const service = await serve({ IMAGEGATE_DATABASE_URL: url.href })
  return { service, subject: new Subject(t, service), cluster, superuser: databases.superuser(created) }
}

/** Waits until the server takes no writes. */
async function readOnly(cluster: Cluster): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end; await sleep(50)) {
    const [row] = await queryAt(cluster.superuser(), 'SHOW transaction_read_only')
    if (row?.['transaction_read_only'] === 'on') return
  }
  throw new Error('The server still takes writes.')
}

/** All that was acknowledged is there, nothing else is, and the chain holds all of it. */
async function expectSound(t: Test, { subject, superuser }: Stage): Promise<void> {
  await subject.expectExact(t)
  const rows = rowsAt(superuser)
  await sealed(rows)
  await expectChained(t, rows)
}

t.test(
  'a full disk of the server is answered with 503 and not ready until there is room',
  {
    skip: noOwnPostgres || noMount(),
  },
  async (t) => {
    const disk = smallDisk(t, 256)
    const before = process.env['TMPDIR']
    process.env['TMPDIR'] = disk
    const stage = await start(t)
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
    const { subject } = stage
    for (let index = 0; index < 5; index += 1) t.equal((await subject.post()).status, 201)
    const filler = fill(disk)
    let refused = 0
    for (let index = 0; index < 500 && refused < 3; index += 1) if ((await subject.post()).status === 503) refused += 1
    t.equal(refused, 3, 'there is no room')
    await subject.expectDown(t)
    await subject.expectReadsKept(t)
    rmSync(filler)
    await subject.expectRecovery(t)
    await expectSound(t, stage)
  },
)

t.test(
  'a missing synchronous standby is answered with 503 in bounded time, and acknowledges nothing',
  {
    skip: noOwnPostgres,
  },
  async (t) => {
    const stage = await start(t)
    const { subject, cluster } = stage
    t.equal((await subject.post()).status, 201)
    const set = (names: string) =>
      queryAt(cluster.superuser(), `ALTER SYSTEM SET synchronous_standby_names = '${names}'`, 'SELECT pg_reload_conf()')
    await set('nobody')
    await sleep(500)
    await subject.expectDown(t, 25_000)
    await subject.expectSilent(t)
    const waiting = async () => {
      const [row] = await queryAt(
        cluster.superuser(),
        "SELECT count(*)::integer AS count FROM pg_stat_activity WHERE application_name = 'imagegate' AND wait_event = 'SyncRep'",
      )
      return Number(row?.['count'])
    }
    for (let tries = 0; tries < 4; tries += 1) t.equal((await subject.post()).status, 503)
    await sleep(1000)
    const left = await waiting()
    // The sealer's, and one more of its that has just come to its end.
    t.ok(left <= 2, `tries that were answered keep no process of the server waiting; ${left} do`)
    // The server has committed it on its own disk and shows it; whoever asks again is still not told so.
    await queryAt(
      cluster.superuser(),
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'imagegate' AND wait_event = 'SyncRep'",
    )
    const name = subject.refused.at(-1) ?? ''
    const seen = 'SELECT id FROM verdicts WHERE image_name = $name$'
    const [found] = await queryAt(stage.superuser, seen.replace('$name$', `'${name}'`))
    t.ok(found, 'it is visible')
    t.equal((await subject.post(name)).status, 503, 'sent again under its key it is not acknowledged')
    await set('')
    await subject.expectRecovery(t)
    for (const refused of subject.refused) t.equal((await subject.post(refused)).status, 201)
    await expectSound(t, stage)
  },
)

t.test(
  'an fsync that fails in the server is answered with 503, and after its restart all goes on',
  {
    skip: noOwnPostgres || noStrace(),
  },
  async (t) => {
    const stage = await start(t)
    const { subject, cluster, superuser } = stage
    for (let index = 0; index < 5; index += 1) t.equal((await subject.post()).status, 201)
    const database = new URL(superuser).pathname.slice(1)
    const backends = await queryAt(
      cluster.superuser(),
      `SELECT pid FROM pg_stat_activity WHERE datname = '${database}'`,
    )
    const pids = backends.flatMap(({ pid }) => ['-p', String(pid)])
    const inject = 'inject=fsync,fdatasync:error=EIO:when=1'
    const tracer = spawn('strace', ['-o', '/dev/null', '-e', inject, ...pids], { stdio: ['ignore', 'ignore', 'pipe'] })
    t.teardown(() => tracer.kill('SIGKILL'))
    await once(tracer.stderr, 'data')
    let refused = 0
    for (let index = 0; index < 20 && refused === 0; index += 1) if ((await subject.post()).status === 503) refused += 1
    t.equal(refused, 1, 'the server panicked, and the verdict was not acknowledged')
    await subject.expectRecovery(t)
    // What the server had written before it panicked may be there; it was never acknowledged until it is sent again.
    for (const name of subject.refused) t.equal((await subject.post(name)).status, 201)
    await expectSound(t, stage)
  },
)

t.test(
  'a server that only reads is answered with 503 and not ready until it takes writes again',
  { skip: noOwnPostgres },
  async (t) => {
    const stage = await start(t)
    const { subject, cluster } = stage
    for (let index = 0; index < 5; index += 1) t.equal((await subject.post()).status, 201)
    const expectRefused = async () => {
      await subject.expectDown(t)
      await subject.expectSilent(t)
      const again = await subject.post()
      t.match({ status: again.status, ...JSON.parse(again.body) }, { status: 503, detail: /read-only/ })
      t.equal((await subject.get('/v1/policies')).status, 200, 'what needs no database is answered')
    }

    // As whoever runs the server sets it: connections stay as they are.
    const set = (value: string) =>
      queryAt(
        cluster.superuser(),
        `ALTER SYSTEM SET default_transaction_read_only = ${value}`,
        'SELECT pg_reload_conf()',
      )
    await set('on')
    await readOnly(cluster)
    await expectRefused()
    await set('off')
    await subject.expectRecovery(t)

    // As after a failover to which the address has not followed: the server is a standby.
    await cluster.stop()
    writeFileSync(join(cluster.folder, 'data', 'standby.signal'), '')
    await cluster.start()
    await readOnly(cluster)
    await expectRefused()
    await queryAt(cluster.superuser(), 'SELECT pg_promote()')
    await subject.expectRecovery(t)
    for (const name of subject.refused) t.equal((await subject.post(name)).status, 201)
    await expectSound(t, stage)
  },
)

t.test('a connection that is slow, cut and silent in turn costs refusals alone', { skip: noOwnPostgres }, async (t) => {
  let proxy: Awaited<ReturnType<typeof flakyProxy>> | undefined
  const stage = await start(t, async (port) => {
    proxy = await flakyProxy(t, port)
    return proxy.port
  })
  const { subject } = stage
  t.equal((await subject.post()).status, 201)
  proxy?.hold()
  await subject.expectDown(t, 25_000)
  proxy?.release()
  await subject.expectRecovery(t)
  let flapping = true
  const flap = (async () => {
    while (flapping) {
      proxy?.cutAll()
      await sleep(70)
    }
  })()
  const statuses = new Set<number>()
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let index = 0; index < 10; index += 1) statuses.add((await subject.post()).status)
    }),
  )
  flapping = false
  await flap
  t.ok(
    [...statuses].every((status) => [201, 503].includes(status)),
    [...statuses].join(', '),
  )
  await subject.expectRecovery(t)
  for (const name of subject.refused) t.equal((await subject.post(name)).status, 201)
  await expectSound(t, stage)
})
