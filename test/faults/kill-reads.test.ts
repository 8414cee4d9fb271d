import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { facts } from '../http/support.ts'
import { random, seed } from '../support/long.ts'
import { noOwnPostgres } from '../support/postgres.ts'
import { agentOf, call, type Service, serve } from '../support/service.ts'
import { connections, cycles, restart, type Stage, stageOnPostgres, stageOnSqlite } from './kill.ts'

t.comment(`seed ${seed}, ${cycles} cycles`)

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

t.test(`killed ${cycles} times amid reads, the service on SQLite has answered none that is not recorded`, async (t) =>
  cycleOfReads(t, stageOnSqlite(t)),
)

t.test(
  `with service or database server killed ${cycles} times amid reads, none is answered that is not recorded on PostgreSQL`,
  { skip: noOwnPostgres },
  async (t) => cycleOfReads(t, await stageOnPostgres(t)),
)
