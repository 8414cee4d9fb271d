import type { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import type { Test } from 'tap'
import { facts } from '../http/support.ts'
import { type Answer, agentOf, call, type Service } from '../support/service.ts'

/** Seconds within which a service must work again once what broke was mended. */
const recovery = 15

/** A service and the names of the images whose verdicts it acknowledged. */
export class Subject {
  readonly agent: Agent = agentOf(64)
  readonly acknowledged: string[] = []
  /** Names of images whose posts were not acknowledged. */
  readonly refused: string[] = []
  /** Ids of the requests that were answered with something of the audit trail. */
  readonly read: string[] = []
  readonly #service: Service
  #serial = 0

  /** What came before it in the same database is taken over. */
  constructor(t: Test, service: Service, before?: Subject) {
    this.#service = service
    this.#serial = before?.acknowledged.length ?? 0
    this.acknowledged.push(...(before?.acknowledged ?? []))
    t.teardown(() => {
      this.agent.destroy()
      service.child.kill('SIGKILL')
    })
  }

  async get(path: string): Promise<Answer> {
    const answer = await call(this.agent, `${this.#service.url}${path}`)
    if (answer.status === 200 && path.startsWith('/v1/verdicts')) this.read.push(String(answer.headers['x-request-id']))
    return answer
  }

  /** What is recorded is not shown while no read can be recorded. */
  async expectSilent(t: Test): Promise<void> {
    const refused = await this.get('/v1/verdicts')
    t.equal(refused.status, 503, 'nothing is read that is not recorded')
    t.match(JSON.parse(refused.body), { code: 'STORE_UNAVAILABLE', detail: /only once it is recorded/ })
    t.match(refused.headers['retry-after'], /^[1-9]\d*$/)
  }

  /** The same where so little as the record of a read may still fit: it is refused, or answered and recorded. */
  async expectReadsKept(t: Test): Promise<void> {
    for (let index = 0; index < 20; index += 1) {
      const { status, body } = await this.get('/v1/verdicts')
      if (status !== 200) t.match({ status, ...JSON.parse(body) }, { status: 503, code: 'STORE_UNAVAILABLE' })
    }
  }

  /** Posts a document of its own under a key of its own, or again one of an earlier name. */
  async post(name = `image-${this.#serial++}`): Promise<Answer> {
    const answer = await call(this.agent, `${this.#service.url}/v1/evaluations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': name },
      body: facts(name),
    })
    const names = answer.status === 201 ? this.acknowledged : this.refused
    if (!names.includes(name)) names.push(name)
    return answer
  }

  /** The defined answer to what cannot be stored: 503 with Retry-After, not ready, alive. */
  async expectDown(t: Test, within = 12_000): Promise<void> {
    const started = performance.now()
    const refused = await this.post()
    const took = performance.now() - started
    t.equal(refused.status, 503, refused.body.slice(0, 200))
    t.match(JSON.parse(refused.body), { code: 'STORE_UNAVAILABLE' })
    t.match(refused.headers['retry-after'], /^[1-9]\d*$/)
    t.ok(took < within, `answered within ${within} ms: ${Math.round(took)}`)
    const ready = await this.get('/health/ready')
    t.equal(ready.status, 503, 'it is not ready')
    t.match(ready.headers['retry-after'], /^[1-9]\d*$/)
    t.equal((await this.get('/health/live')).status, 200, 'it is alive')
  }

  /** Works again by itself, without a start. */
  async expectRecovery(t: Test): Promise<void> {
    const until = performance.now() + recovery * 1000
    let answer = await this.post()
    while (answer.status !== 201 && performance.now() < until) {
      await sleep(200)
      answer = await this.post()
    }
    t.equal(answer.status, 201, 'it records again')
    t.equal((await this.get('/health/ready')).status, 200, 'it is ready again')
    t.equal(this.#service.child.exitCode, null)
  }

  /** Names of all recorded images, oldest first. */
  async recorded(): Promise<readonly string[]> {
    const names: string[] = []
    for (let cursor = ''; ; ) {
      const page = JSON.parse((await this.get(`/v1/verdicts?limit=500${cursor}`)).body)
      names.push(...page.verdicts.map(({ imageName }: { imageName: string }) => imageName))
      if (page.next === undefined) return names.reverse()
      cursor = `&cursor=${encodeURIComponent(page.next)}`
    }
  }

  /** What was acknowledged is there once, nothing else is, and every read that was answered is recorded. */
  async expectExact(t: Test): Promise<void> {
    t.same((await this.recorded()).toSorted(), this.acknowledged.toSorted(), 'what was acknowledged is there, no more')
    const recorded = new Set<string>()
    for (let query = '?limit=500'; query !== ''; ) {
      const page = JSON.parse((await this.get(`/v1/reads${query}`)).body)
      for (const { requestId } of page.reads) recorded.add(requestId)
      query = page.next === undefined ? '' : `?limit=500&cursor=${page.next}`
    }
    t.same(
      this.read.filter((id) => !recorded.has(id)),
      [],
      `${this.read.length} reads that were answered are recorded`,
    )
  }
}

/** Nothing of a verdict is there without the rest of it. */
export function expectWhole(t: Test, file: string): void {
  const db = new Database(file)
  t.teardown(() => db.close())
  const count = (sql: string) => db.prepare(`SELECT count(*) FROM ${sql}`).pluck().get()
  t.equal(db.pragma('integrity_check', { simple: true }), 'ok')
  const ids = '(SELECT id FROM verdicts)'
  for (const table of ['findings', 'missing_facts', 'idempotency_keys']) {
    t.equal(count(`${table} WHERE verdict_id NOT IN ${ids}`), 0, `${table} belong to verdicts`)
  }
  t.equal(count('fact_documents WHERE digest NOT IN (SELECT document_digest FROM verdicts)'), 0)
  t.equal(count('verdicts WHERE document_digest NOT IN (SELECT digest FROM fact_documents)'), 0)
  t.equal(count('verdicts WHERE policy_digest NOT IN (SELECT digest FROM policy_bodies)'), 0)
  t.equal(count('verdicts WHERE id NOT IN (SELECT verdict_id FROM idempotency_keys)'), 0)
}
