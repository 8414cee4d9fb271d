import type { InjectOptions } from 'fastify'
import t from 'tap'
import { count, long, random, seed } from '../support/long.ts'
import { example, facts, json, ndjson, policies, type Stage, stage } from './support.ts'

const total = count(100_000)
if (long) t.setTimeout(3_600_000)
const next = random(seed)
const below = (limit: number) => Math.floor(next() * limit)

function pick<T>(values: readonly T[]): T {
  const value = values[below(values.length)]
  if (value === undefined) throw new RangeError('nothing to pick from')
  return value
}

const documents = [
  'linux/ready.json',
  'linux/several-faults.json',
  'windows-server/several-faults.json',
  'unidentified/vmdk.json',
]
const bodies = [facts('fuzzed'), ...documents.map((name) => example(name).toString())]
const hostile = [
  '\u0000',
  '\u202e',
  '\ud800',
  '$(reboot)',
  '<script>',
  "'; DROP TABLE verdicts; --",
  '../../etc/passwd',
  '%',
  '%00',
  '%ff',
  '\r\n\r\n',
  '1e999',
  '-1',
  '9'.repeat(400),
  'x'.repeat(3000),
  '__proto__',
  'constructor',
  '{"a":',
  '['.repeat(200),
  'null',
  '\\ud800',
]

function mutateText(text: string): string {
  const at = below(text.length + 1)
  const to = Math.min(text.length, at + below(1 + below(64)))
  switch (below(7)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + text.slice(to)
    case 2:
      return text.slice(0, at) + pick(hostile) + text.slice(at)
    case 3:
      return text.slice(0, at) + String.fromCharCode(below(1 + below(65_536))) + text.slice(at + 1)
    case 4:
      return text.slice(0, to) + text.slice(at)
    case 5:
      return text.replaceAll(pick(['"', ',', ':', '{', '1', 'a', ' ']), () => (next() < 0.05 ? pick(hostile) : '"'))
    default:
      return text
  }
}

/** Another value somewhere in a document that stays JSON, so that what lies behind the parser is reached too. */
function mutateValue(node: unknown): unknown {
  const values = [null, true, -1, 1e308, 2 ** 53, '', [], {}, ['x'], { a: 1 }, 'x'.repeat(300), '\u202e$(id)', '10.0']
  if (typeof node !== 'object' || node === null || next() < 0.08) return pick(values)
  if (Array.isArray(node)) {
    if (next() < 0.15) return [...node, ...node, ...node]
    const at = below(node.length)
    return node.map((one, index) => (index === at ? mutateValue(one) : one))
  }
  const entries = Object.entries(node)
  const [name] = entries.length === 0 ? [''] : pick(entries)
  if (next() < 0.2) return Object.fromEntries(entries.filter(([key]) => key !== name))
  if (next() < 0.05) return Object.fromEntries([...entries, [pick(hostile), 1]])
  return Object.fromEntries(entries.map(([key, value]) => [key, key === name ? mutateValue(value) : value]))
}

function body(): string | Buffer {
  const text = pick(bodies)
  const kind = next()
  if (kind < 0.1) return text
  if (kind < 0.6) return JSON.stringify(mutateValue(JSON.parse(text)))
  if (kind < 0.9) return mutateText(text)
  const bytes = Buffer.from(text)
  for (let change = below(8); change >= 0; change -= 1) bytes[below(bytes.length)] = below(256)
  return bytes
}

const parameters = [
  'importAs=others-linux',
  'systemDiskBytes=42949672960',
  'policyVersion=1.0.0',
  'asOf=2021-01-01',
  'record=false',
]
const filters = [
  'limit=3',
  'outcome=ready',
  'family=linux',
  'osType=linux',
  'osId=debian',
  'imageName=x',
  'failedRule=linux.x',
  'missingFact=/os/id',
  'from=2021-01-01',
  'to=2099-01-01T00:00:00.123Z',
]

function query(known: readonly string[], cursors: readonly string[]): string {
  const parts = Array.from({ length: below(4) }, () => pick(known))
  if (cursors.length > 0 && next() < 0.3) parts.push(`cursor=${pick(cursors)}`)
  const text = parts.map((part) => (next() < 0.3 ? mutateText(part) : part)).join('&')
  // What an HTTP client could not send in a request line never reaches the server.
  return text === '' ? '' : `?${text.replaceAll(/[^\x21-\x7e]|#/g, (character) => encodeURI(character.toWellFormed()))}`
}

function headers(base: Record<string, string>): Record<string, string> {
  const given = { ...base }
  const visible = (text: string) => text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?')
  if (next() < 0.2) given['idempotency-key'] = visible(next() < 0.5 ? `key-${below(50)}` : mutateText('key'))
  if (next() < 0.1) given['content-type'] = visible(mutateText(given['content-type'] ?? 'application/json'))
  if (next() < 0.1) given['accept'] = visible(mutateText('application/yaml;q=0.5, */*'))
  if (next() < 0.1) given['if-none-match'] = next() < 0.2 ? '*' : visible(mutateText('"sha256:0", W/"x", *'))
  if (next() < 0.03) given['content-encoding'] = pick(['gzip', 'identity', 'x'])
  if (next() < 0.03) given['expect'] = visible(mutateText('100-continue'))
  return given
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const
const addresses = [
  '/v1/policies',
  '/v1/policies/linux',
  '/v1/policies/linux/1.0.0',
  '/v1/policies/linux/candidate',
  '/v1/policies/linux/candidate/differences?limit=2',
  '/v1/schemas/facts',
  '/v1/problems/INTERNAL',
  '/health/ready',
  '/health/live',
  '/openapi.json',
  '/docs/',
  '/docs/static/index.css',
  '/',
  '/metrics',
]

function generate(ids: readonly string[], cursors: readonly string[]): InjectOptions {
  const kind = next()
  if (kind < 0.45)
    return { method: 'POST', url: `/v1/evaluations${query(parameters, [])}`, headers: headers(json), body: body() }
  if (kind < 0.55) {
    const lines = Array.from({ length: below(5) }, () => body().toString().replaceAll('\n', ' '))
    return {
      method: 'POST',
      url: `/v1/evaluations/batch${query(parameters, [])}`,
      headers: headers(ndjson),
      body: lines.join(pick(['\n', '\r\n', '\n\n'])),
    }
  }
  if (kind < 0.75) return { method: 'GET', url: `/v1/verdicts${query(filters, cursors)}`, headers: headers({}) }
  const id = next() < 0.7 && ids.length > 0 ? pick(ids) : 'x'
  const part = pick(['', '/facts', '/evidence', '/replay', '/x'])
  const path = kind < 0.88 ? `/v1/verdicts/${next() < 0.2 ? mutateText(id) : id}${part}` : mutateText(pick(addresses))
  const url = `/${path.replace(/^\/+/, '')}`.replaceAll(/[^\x21-\x7e]/g, '%')
  return { method: next() < 0.7 ? 'GET' : pick(methods), url, headers: headers({}) }
}

interface Tally {
  readonly statuses: Map<number, number>
  readonly failures: unknown[]
}

/** Keeps some of the values that answers gave, for later requests. */
function remember(kept: string[], value: string, most: number): void {
  if (kept.length < most) kept.push(value)
  else kept[below(most)] = value
}

async function shoot({ app }: Stage, tally: Tally, ids: string[], cursors: string[]): Promise<void> {
  const request = generate(ids, cursors)
  const answer = await app.inject(request)
  tally.statuses.set(answer.statusCode, (tally.statuses.get(answer.statusCode) ?? 0) + 1)
  const inLines = answer.headers['content-type']?.toString().startsWith('application/x-ndjson') ? answer.body : ''
  const failed = answer.statusCode >= 500 || /"status":5\d\d/.test(inLines)
  const type = String(answer.headers['content-type'])
  const unexplained =
    answer.statusCode >= 400 && request.method !== 'HEAD' && !type.startsWith('application/problem+json')
  if (failed || unexplained)
    tally.failures.push({ request, status: answer.statusCode, answer: answer.body.slice(0, 2000) })
  const [, id] = /^\/v1\/verdicts\/([0-9a-f-]{36})$/.exec(String(answer.headers.location)) ?? []
  if (id !== undefined) remember(ids, id, 100)
  const [, cursor] = /cursor=([^>]+)>/.exec(String(answer.headers.link)) ?? []
  if (cursor !== undefined) remember(cursors, cursor, 20)
}

async function settledHeap(): Promise<number> {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return process.memoryUsage().heapUsed
}

t.test(`${total} mutated requests give no 5xx and no crash, and memory stays (IMAGEGATE_SEED=${seed})`, async (t) => {
  const { setFlagsFromString } = await import('node:v8')
  setFlagsFromString('--expose-gc')
  globalThis.gc = (await import('node:vm')).runInNewContext('gc')
  const candidate = (await policies()).versions.find(({ family }) => family === 'linux')
  const given = await stage(t.testdir(), {}, candidate)
  t.teardown(given.close)
  const tally: Tally = { statuses: new Map(), failures: [] }
  const ids: string[] = []
  const cursors: string[] = []
  let early = 0
  for (let sent = 0; sent < total && tally.failures.length < 5; sent += 1) {
    await shoot(given, tally, ids, cursors)
    given.log.length = 0
    if (sent === Math.floor(total / 5)) early = await settledHeap()
  }
  const late = await settledHeap()
  const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10
  t.comment(
    `seed ${seed}, ${total} requests, statuses ${JSON.stringify(Object.fromEntries([...tally.statuses].sort()))}`,
  )
  t.comment(
    `heap ${megabytes(early)} MB after a fifth, ${megabytes(late)} MB at the end, RSS ${megabytes(process.memoryUsage().rss)} MB`,
  )
  t.same(tally.failures, [], `repeat with IMAGEGATE_SEED=${seed}`)
  t.ok(late < early * 1.25 + 16e6, 'the heap does not grow with the number of requests')
  for (const status of [200, 201, 304, 400, 404, 405, 415, 422]) {
    t.ok(tally.statuses.has(status), `the requests reach as far as ${status}`)
  }
  t.equal((await given.app.inject('/health/ready')).statusCode, 200)
})
