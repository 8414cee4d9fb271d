import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { facts } from '../http/support.ts'
import { count, random, seed } from '../support/long.ts'
import { type Cluster, databasesOf, noOwnPostgres, startCluster } from '../support/postgres.ts'
import { agentOf, call, type Service, serve } from '../support/service.ts'
import {
  expectChained,
  expectReplayed,
  expectStored,
  type Rows,
  rowsAt,
  rowsOfFile,
  Storm,
  sealed,
} from '../support/storm.ts'

const connections = 64
const cycles = count(200)
t.comment(`seed ${seed}, ${cycles} cycles`)

/** What is killed, and how it is started again. */
interface Stage {
  readonly settings: Readonly<Record<string, string>>
  readonly rows: Rows
  /** Where the database is a server. */
  readonly cluster?: Cluster
}

async function restart(cluster: Cluster): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await cluster.start()
      return
    } catch (error) {
      // A process that was killed may hold the shared memory for a moment more.
      if (attempt === 20) throw error
      await sleep(100)
    }
  }
}

/** Kills the service, the database or both amid posts, over and over; every post is sent again until it is acknowledged. */
async function cycle(t: Test, { settings, rows, cluster }: Stage): Promise<void> {
  const next = random(seed)
  let acknowledged = 0
  let repeated = 0
  const killed = { service: 0, database: 0 }
  let server: Service = await serve(settings)
  t.teardown(() => server.child.kill('SIGKILL'))
  for (let round = 0; round < cycles; round += 1) {
    const label = `c${round}`
    const storm = new Storm(() => server.url, label, connections)
    // However slow the machine is, each kill comes amid answers.
    await storm.reaches(10)
    await sleep(next() * 400)
    const dice = cluster === undefined ? 0 : next()
    const service = dice < 0.6
    const database = dice >= 0.4
    await Promise.all([service && server.end('SIGKILL'), database && cluster?.crash()])
    if (cluster !== undefined && database) await restart(cluster)
    if (service) server = await serve(settings)
    killed.service += Number(service)
    killed.database += Number(database)
    await storm.settle()
    await expectStored(t, storm, label, rows)
    await expectReplayed(t, storm, server.url)
    const unanswered = storm.sent.filter(({ answer }) => answer === undefined)
    t.same(unanswered, [], 'what the kill cut off was acknowledged when sent again')
    acknowledged += storm.sent.length
    repeated += storm.sent.filter(({ attempts }) => attempts > 1).length
  }
  await sealed(rows)
  await expectChained(t, rows)
  t.same(await server.end('SIGTERM'), [0, null], 'a last stop in order ends with 0')
  t.comment(`killed: service ${killed.service}, database ${killed.database} times`)
  t.comment(`${acknowledged} acknowledged, ${repeated} of them sent more than once`)
  t.ok(repeated >= cycles, 'posts were cut off')
}

/** Kills the service, the database or both amid reads; every read whose answer arrived whole is recorded. */
async function cycleOfReads(t: Test, { settings, rows, cluster }: Stage): Promise<void> {
  const next = random(seed)
  let server: Service = await serve(settings)
  t.teardown(() => server.child.kill('SIGKILL'))
  const agent = agentOf(connections)
  t.teardown(() => agent.destroy())
  const headers = { 'content-type': 'application/json' }
  const { body } = await call(agent, `${server.url}/v1/evaluations`, { method: 'POST', headers, body: facts('one') })
  const { id } = JSON.parse(body)
  const answered: string[] = []
  let refused = 0
  for (let round = 0; round < cycles; round += 1) {
    const before = answered.length
    let reading = true
    const clients = Array.from({ length: connections }, async () => {
      while (reading) {
        try {
          const answer = await call(agent, `${server.url}/v1/verdicts/${id}`)
          if (answer.status === 200 && JSON.parse(answer.body).id === id) {
            answered.push(String(answer.headers['x-request-id']))
          } else refused += 1
        } catch {
          refused += 1
          await sleep(20)
        }
      }
    })
    for (const end = performance.now() + 60_000; answered.length < before + 10 && performance.now() < end; )
      await sleep(5)
    t.ok(answered.length >= before + 10, 'the kill comes amid answers')
    await sleep(next() * 400)
    const database = cluster !== undefined && next() < 0.5
    await Promise.all([!database && server.end('SIGKILL'), database && cluster.crash()])
    reading = false
    await Promise.all(clients)
    if (database) await restart(cluster)
    else server = await serve(settings)
  }
  const recorded = new Set((await rows('SELECT request_id FROM audit_reads')).map(({ request_id: one }) => String(one)))
  t.comment(`${answered.length} reads answered, ${recorded.size} recorded, ${refused} refused or cut off`)
  t.same(
    answered.filter((one) => !recorded.has(one)),
    [],
    'every read that was answered is recorded',
  )
  t.ok(refused > 0, 'the kills were felt')
}

t.test(
  `killed ${cycles} times amid ${connections} concurrent posts, the service on SQLite loses and doubles nothing`,
  async (t) => {
    const file = join(t.testdir(), 'imagegate.db')
    await cycle(t, { settings: { IMAGEGATE_DATABASE_URL: `file:${file}` }, rows: rowsOfFile(file) })
  },
)

t.test(
  `with service or database server killed ${cycles} times, nothing is lost or doubled on PostgreSQL`,
  { skip: noOwnPostgres },
  async (t) => {
    const cluster = await startCluster(t)
    const databases = await databasesOf(cluster.superuser())
    const url = await databases.create()
    const settings = { IMAGEGATE_DATABASE_URL: url }
    await cycle(t, { settings, rows: rowsAt(databases.superuser(url)), cluster })
  },
)

t.test(`killed ${cycles} times amid reads, the service on SQLite has answered none that is not recorded`, async (t) => {
  const file = join(t.testdir(), 'imagegate.db')
  await cycleOfReads(t, { settings: { IMAGEGATE_DATABASE_URL: `file:${file}` }, rows: rowsOfFile(file) })
})

t.test(
  `with service or database server killed ${cycles} times amid reads, none is answered that is not recorded on PostgreSQL`,
  { skip: noOwnPostgres },
  async (t) => {
    const cluster = await startCluster(t)
    const databases = await databasesOf(cluster.superuser())
    const url = await databases.create()
    const settings = { IMAGEGATE_DATABASE_URL: url }
    await cycleOfReads(t, { settings, rows: rowsAt(databases.superuser(url)), cluster })
  },
)
