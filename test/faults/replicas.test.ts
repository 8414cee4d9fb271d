import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Balancer, noHaproxy, startBalancer } from '../support/haproxy.ts'
import { count, random, seed } from '../support/long.ts'
import { type Cluster, databasesOf, freePort, noOwnPostgres, queryAt, startCluster } from '../support/postgres.ts'
import { NotStarted, type Service, serve } from '../support/service.ts'
import { expectChained, expectReplayed, expectStored, rowsAt, Storm, sealed } from '../support/storm.ts'

const connections = 64
/** Seconds of load before the primary is killed, and after the promoted standby has recorded the first verdict. */
const seconds = count(20, 3)
t.comment(`seed ${seed}, ${seconds} s before and after`)

/** A primary that confirms no commit before its standby has it on disk. */
async function synchronousPair(t: Test): Promise<{ primary: Cluster; standby: Cluster }> {
  const primary = await startCluster(t)
  const standby = await primary.standby(t)
  await queryAt(
    primary.superuser(),
    "ALTER SYSTEM SET synchronous_standby_names = 'standby'",
    'SELECT pg_reload_conf()',
  )
  for (const end = performance.now() + 20_000; performance.now() < end; await sleep(50)) {
    const [row] = await queryAt(primary.superuser(), 'SELECT sync_state FROM pg_stat_replication')
    if (row?.['sync_state'] === 'sync') return { primary, standby }
  }
  throw new Error('The standby did not become synchronous.')
}

/** Replicas of the service that are started again, by their ports, whenever they have ended; as a supervisor does. */
class Replicas {
  readonly ports: readonly number[]
  readonly #settings: Readonly<Record<string, string>>
  readonly #services = new Map<number, Service>()
  #starting: Promise<unknown>[] = []
  /** How many were killed. */
  killed = 0
  #stopped = false

  constructor(t: Test, ports: readonly number[], settings: Readonly<Record<string, string>>) {
    this.ports = ports
    this.#settings = settings
    t.teardown(() => this.stop())
  }

  /** Starts all of them. */
  async start(): Promise<void> {
    for (const port of this.ports) await this.#start(port)
  }

  /** Kills one that runs, with SIGKILL, and has it started again. */
  async kill(port: number): Promise<void> {
    const service = this.#services.get(port)
    if (service === undefined) return
    this.#services.delete(port)
    this.killed += 1
    await service.end('SIGKILL')
    this.#starting.push(this.#start(port))
  }

  /** Waits until all that were killed run again. */
  async running(): Promise<void> {
    await Promise.all(this.#starting)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.running()
    for (const service of this.#services.values()) await service.end('SIGKILL')
    this.#services.clear()
  }

  /** Without its database a service cannot start and ends with 3: then it is tried again. */
  async #start(port: number): Promise<void> {
    for (const end = performance.now() + 60_000; !this.#stopped; await sleep(300)) {
      try {
        this.#services.set(port, await serve({ ...this.#settings, IMAGEGATE_PORT: String(port) }))
        return
      } catch (error) {
        if (!(error instanceof NotStarted) || error.exitCode !== 3 || performance.now() > end) throw error
      }
    }
  }
}

async function untilReady({ url }: Balancer): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end; await sleep(100)) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.status === 200) return
  }
  throw new Error('No replica became ready behind the load balancer.')
}

/** Acknowledgements a second between two times of performance.now(). */
function rate({ times }: Storm, from: number, to: number): number {
  return Math.round(times.filter((time) => time >= from && time < to).length / ((to - from) / 1000))
}

t.test(
  'three replicas behind a load balancer outlive the primary and their own deaths, and lose and double nothing',
  { skip: noOwnPostgres || noHaproxy },
  async (t) => {
    const { primary, standby } = await synchronousPair(t)
    const databases = await databasesOf(primary.superuser())
    const created = await databases.create()
    const ports = [await freePort(), await freePort(), await freePort()]
    const balancer = await startBalancer(t, ports, [primary, standby])
    const url = new URL(created)
    url.port = String(balancer.databasePort)
    const replicas = new Replicas(t, ports, { IMAGEGATE_DATABASE_URL: url.href })
    await replicas.start()
    await untilReady(balancer)
    const promoted = new URL(databases.superuser(created))
    promoted.port = String(standby.port)

    const storm = new Storm(() => balancer.url, 'r', connections)
    await storm.reaches(connections)
    const began = performance.now()
    await sleep(seconds * 1000)

    const next = random(seed)
    let killing = true
    const killer = (async () => {
      while (killing) {
        await sleep(500 + next() * 1500)
        if (killing) await replicas.kill(ports[Math.floor(next() * ports.length)] ?? 0)
      }
    })()
    const broken = performance.now()
    await primary.crash()
    const before = storm.times.length
    await queryAt(standby.superuser(), 'SELECT pg_promote()')
    const promotedAfter = performance.now() - broken
    await storm.reaches(before + 1)
    const recovered = storm.times[before] ?? 0
    await sleep(seconds * 1000)
    killing = false
    await killer
    const ended = performance.now()
    await storm.settle()
    await replicas.running()
    await untilReady(balancer)

    const rows = rowsAt(promoted.href)
    await sealed(rows)
    await expectStored(t, storm, 'r', rows)
    await expectReplayed(t, storm, balancer.url)
    await expectChained(t, rows)
    t.same(
      storm.sent.filter(({ answer }) => answer === undefined),
      [],
      'what was cut off was acknowledged when sent again',
    )
    t.ok(before > 0 && storm.times.length > before, 'verdicts were acknowledged before and after')
    t.ok(replicas.killed > 0, 'replicas were killed')
    const figures = {
      connections,
      before: rate(storm, began, broken),
      outageMs: Math.round(recovered - broken),
      promotedAfterMs: Math.round(promotedAfter),
      after: rate(storm, recovered, ended),
      replicasKilled: replicas.killed,
      acknowledged: storm.times.length,
      sentAgain: storm.sent.filter(({ attempts }) => attempts > 1).length,
      refusals: Object.fromEntries(storm.refusals),
      seed,
    }
    t.comment(`figures ${JSON.stringify(figures)}`)
  },
)
