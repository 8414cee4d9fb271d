import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { Test } from 'tap'
import { type ChainEntry, emptyHead, linkOf } from '../../server/audit/chain.ts'
import { sha256 } from '../../server/digest.ts'
import { example } from '../http/support.ts'
import { queryAt } from './postgres.ts'
import { agentOf, call } from './service.ts'

const document = JSON.parse(example('linux/several-faults.json').toString())

/** Milliseconds after which a client gives an unanswered request up and sends it again. */
const patience = 15_000

/** One document that a client sends until its verdict is acknowledged, always under the same key. */
interface Sent {
  readonly key: string
  readonly name: string
  attempts: number
  /** The verdict as it was acknowledged. */
  answer?: string
}

/** Clients that post at once, each over a connection of its own, and send again what was not acknowledged. */
export class Storm {
  readonly sent: Sent[] = []
  /** How often what happened instead of an acknowledgement: a status or an error's code. */
  readonly refusals = new Map<string, number>()
  /** When each acknowledgement came, in milliseconds of performance.now(). */
  readonly times: number[] = []
  /** Answers that are none of those that a fault excuses. */
  readonly unexpected: string[] = []
  readonly #target: () => string
  readonly #agent
  readonly #clients: Promise<void>[]
  #posting = true
  #deadline = Number.POSITIVE_INFINITY

  /** The target gives the service's URL anew for each attempt; the label makes the documents differ from other storms'. */
  constructor(target: () => string, label: string, connections: number) {
    this.#target = target
    this.#agent = agentOf(connections)
    this.#clients = Array.from({ length: connections }, (_, index) => this.#client(`${label}-${index}`))
  }

  /** Resolves once so many verdicts were acknowledged in all. Rejects after so many milliseconds. */
  async reaches(acknowledged: number, within = 60_000): Promise<void> {
    for (const end = performance.now() + within; this.times.length < acknowledged; await sleep(5)) {
      if (performance.now() > end) throw new Error(`Only ${this.times.length} verdicts in time: ${this.told()}`)
    }
  }

  /** Begins nothing more, and sends again what was not acknowledged until it is, for at most so many milliseconds. */
  async settle(within = 60_000): Promise<void> {
    this.#posting = false
    this.#deadline = performance.now() + within
    await Promise.all(this.#clients)
    this.#agent.destroy()
  }

  /** What was refused, as text. */
  told(): string {
    return [...this.refusals].map(([what, times]) => `${what} ${times} times`).join(', ') || 'nothing refused'
  }

  async #client(label: string): Promise<void> {
    for (let serial = 0; this.#posting; serial += 1) {
      const one: Sent = { key: `${label}-${serial}`, name: `${label}-${serial}.qcow2`, attempts: 0 }
      this.sent.push(one)
      while (one.answer === undefined && performance.now() < this.#deadline) {
        if (one.attempts > 0) await sleep(100)
        await this.#attempt(one)
      }
    }
  }

  async #attempt(one: Sent): Promise<void> {
    one.attempts += 1
    const body = JSON.stringify({ ...document, image: { ...document.image, name: one.name } })
    try {
      const { status, body: answer } = await call(this.#agent, `${this.#target()}/v1/evaluations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': one.key },
        body,
        patience,
      })
      if (status === 201) {
        one.answer = answer
        this.times.push(performance.now())
      } else this.#refused(String(status), status >= 502 && status <= 504 ? undefined : answer)
    } catch (error) {
      const { code, message }: { code?: string; message?: string } = Object(error)
      this.#refused(code ?? message ?? 'unknown')
    }
  }

  #refused(what: string, unexpected?: string): void {
    this.refusals.set(what, (this.refusals.get(what) ?? 0) + 1)
    if (unexpected !== undefined) this.unexpected.push(`${what}: ${unexpected.slice(0, 300)}`)
  }
}

/** Reads the rows of one statement; values are text, numbers or null. */
export type Rows = (statement: string) => Promise<readonly Readonly<Record<string, unknown>>[]>

/** Rows of a SQLite database that a service may have open. */
export function rowsOfFile(file: string): Rows {
  return async (statement) => {
    const db = new Database(file, { readonly: true })
    try {
      return db.prepare<[], Record<string, unknown>>(statement).all()
    } finally {
      db.close()
    }
  }
}

/** Rows of a PostgreSQL database, read by a role that sees all. */
export function rowsAt(url: string): Rows {
  return (statement) => queryAt(url, statement)
}

/** What was acknowledged is there once, as it was answered; what was not is there once at most. */
export async function expectStored(t: Test, { sent, unexpected }: Storm, label: string, rows: Rows): Promise<void> {
  const found = new Map<string, string[]>()
  for (const { image_name: name, body, record_digest: digest } of await rows(
    `SELECT image_name, body, record_digest FROM verdicts WHERE image_name LIKE '${label}-%'`,
  )) {
    found.set(String(name), [...(found.get(String(name)) ?? []), String(body)])
    if (sha256(String(body)) !== digest) t.fail(`${name} does not have its digest`)
  }
  for (const { name, answer, attempts } of sent) {
    const bodies = found.get(name) ?? []
    if (bodies.length > 1) t.fail(`${name} was recorded ${bodies.length} times in ${attempts} attempts`)
    if (answer !== undefined && bodies[0] !== answer) {
      t.fail(`${name} was acknowledged and is not there as answered`, { answer, bodies })
    }
    found.delete(name)
  }
  t.same([...found.keys()], [], 'nothing is there that nobody sent')
  t.same(unexpected, [], 'no answer but 201 and 502 to 504')
}

/** Some of what was acknowledged is found over HTTP as it was answered, and replays to the same. */
export async function expectReplayed(t: Test, { sent }: Storm, url: string): Promise<void> {
  const agent = agentOf(4)
  /** A load balancer may not yet have noticed that the replicas are back. */
  const get = async (path: string) => {
    for (const end = performance.now() + 15_000; ; await sleep(200)) {
      const answer = await call(agent, `${url}${path}`)
      if (answer.status !== 503 || performance.now() > end) return answer
    }
  }
  const some = sent.filter((_, index) => index % Math.ceil(sent.length / 8) === 0)
  await Promise.all(
    some.map(async ({ answer = '{}' }) => {
      const { id } = JSON.parse(answer)
      const found = await get(`/v1/verdicts/${id}`)
      if (found.body !== answer) t.fail(`${id} is not found as answered`, found)
      const replayed = await get(`/v1/verdicts/${id}/replay`)
      if (JSON.parse(replayed.body).result !== 'same') t.fail(`${id} does not replay`, replayed)
    }),
  )
  agent.destroy()
}

/** The chain of the tenant is gapless, its links are those of its entries, and it holds every verdict once. */
export async function expectChained(t: Test, rows: Rows): Promise<void> {
  let head = emptyHead
  const sealed = new Map<string, string>()
  for (const row of await rows('SELECT * FROM chain ORDER BY tenant, sequence')) {
    const entry: Omit<ChainEntry, 'link'> = {
      tenant: String(row['tenant']),
      sequence: Number(row['sequence']),
      verdictId: String(row['verdict_id']),
      recordDigest: String(row['record_digest']),
      previousLink: String(row['previous_link']),
    }
    if (entry.sequence !== head.sequence + 1) t.fail(`${entry.sequence} follows ${head.sequence}`)
    if (entry.previousLink !== head.link) t.fail(`${entry.sequence} does not name the link before it`)
    if (linkOf(entry) !== row['link']) t.fail(`${entry.sequence} has another link`)
    if (sealed.has(entry.verdictId)) t.fail(`${entry.verdictId} is sealed twice`)
    sealed.set(entry.verdictId, entry.recordDigest)
    head = { sequence: entry.sequence, link: String(row['link']) }
  }
  const verdicts = await rows('SELECT id, record_digest FROM verdicts')
  const differing = verdicts.filter(({ id, record_digest: digest }) => sealed.get(String(id)) !== digest)
  t.same(differing, [], `${verdicts.length} verdicts are sealed under their digests`)
  t.equal(sealed.size, verdicts.length, 'nothing else is sealed')
}

/** Waits until nothing is left to be sealed. Rejects after so many milliseconds. */
export async function sealed(rows: Rows, within = 60_000): Promise<void> {
  for (const end = performance.now() + within; ; await sleep(100)) {
    const [left] = await rows('SELECT count(*) AS count FROM unsealed')
    if (Number(left?.['count']) === 0) return
    if (performance.now() > end) throw new Error(`${left?.['count']} verdicts were not sealed in time.`)
  }
}
