import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { random, seed } from '../support/long.ts'
import { noOwnPostgres } from '../support/postgres.ts'
import { type Service, serve } from '../support/service.ts'
import { expectChained, expectReplayed, expectStored, Storm, sealed } from '../support/storm.ts'
import { connections, cycles, restart, type Stage, stageOnPostgres, stageOnSqlite } from './kill.ts'

t.comment(`seed ${seed}, ${cycles} cycles`)

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

t.test(
  `killed ${cycles} times amid ${connections} concurrent posts, the service on SQLite loses and doubles nothing`,
  async (t) => cycle(t, stageOnSqlite(t)),
)

t.test(
  `with service or database server killed ${cycles} times, nothing is lost or doubled on PostgreSQL`,
  { skip: noOwnPostgres },
  async (t) => cycle(t, await stageOnPostgres(t)),
)
