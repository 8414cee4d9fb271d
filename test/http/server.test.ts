import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { inOrder } from '../../server/in-order.ts'
import { splitLines } from '../../server/lines.ts'
import { shippedPolicies } from '../../server/policy/load.ts'
import { example, facts, json, ndjson, type Stage, stage } from './support.ts'

async function listening(given: Stage): Promise<number> {
  await given.app.listen({ host: '127.0.0.1', port: 0 })
  const { port }: AddressInfo = given.app.server.address() as AddressInfo
  return port
}

/** Sends bytes as they are and gives all that comes back until the connection ends. */
async function raw(port: number, text: string, { end = true, piece = 0 } = {}): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk
  })
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  if (piece === 0) socket.write(text)
  else
    for (let at = 0; at < text.length && !socket.destroyed; at += piece, await sleep(5))
      socket.write(text.slice(at, at + piece))
  if (end) socket.end()
  await closed
  return answer
}

interface Exchange {
  readonly request: ClientRequest
  /** Lines of the answer, as they arrive. */
  readonly lines: AsyncIterableIterator<string>
  readonly response: Promise<IncomingMessage>
}

/** A batch that is written and read at the same time. */
function exchange(port: number, query = ''): Exchange {
  const request = httpRequest({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: `/v1/evaluations/batch${query}`,
    agent: false,
    headers: ndjson,
  })
  const response = once(request, 'response').then(([answer]: IncomingMessage[]) => {
    if (answer === undefined) throw new Error('no answer')
    return answer
  })
  async function* lines() {
    const answer = await response
    for await (const line of createInterface({ input: answer, crlfDelay: Number.POSITIVE_INFINITY })) yield line
  }
  return { request, response, lines: lines() }
}

async function next(lines: AsyncIterator<string>) {
  const { value, done } = await lines.next()
  if (done === true) throw new Error('the answer ended')
  return JSON.parse(value)
}

t.test('a batch is answered while it is still being sent', async (t) => {
  const given = await stage(t.testdir())
  t.teardown(given.close)
  const { request, lines } = exchange(await listening(given))
  request.write(`${facts('first')}\n`)
  t.match(await next(lines), { line: 1, status: 201 })
  const second = `${facts('second')}\n`
  request.write(second.slice(0, 10))
  await sleep(20)
  request.write(`${second.slice(10)}{\n`)
  t.match(await next(lines), { line: 2, status: 201 })
  t.match(await next(lines), { line: 3, status: 400 })
  request.end(facts('last, without a line break'))
  t.match(await next(lines), { line: 4, status: 201 })
  t.equal((await lines.next()).done, true)
})

t.test('a client that does not read is not read from, and loses nothing', async (t) => {
  const given = await stage(t.testdir())
  t.teardown(given.close)
  const { request, response } = exchange(await listening(given), '?record=false')
  // More than the buffers of both sockets hold, in both directions.
  const total = 800
  const line = `${JSON.stringify(JSON.parse(example('linux/several-faults.json').toString())).padEnd(16_384)}\n`
  let written = 0
  const writing = (async () => {
    while (written < total) {
      if (!request.write(line)) await once(request, 'drain')
      written += 1
    }
    request.end()
  })()
  const answer = await response
  let before = -1
  while (before !== written) {
    before = written
    await sleep(300)
  }
  t.ok(before < total, `the server stopped reading after ${before} of ${total} lines`)
  let count = 0
  for await (const text of createInterface({ input: answer })) {
    count += 1
    if (!text.startsWith(`{"line":${count},"status":200,`)) t.fail(`line ${count} is ${text.slice(0, 100)}`)
  }
  await writing
  t.equal(count, total)
})

t.test('a client that goes away in the middle does no harm', async (t) => {
  const given = await stage(t.testdir())
  t.teardown(given.close)
  const port = await listening(given)
  for (let round = 0; round < 20; round += 1) {
    const { request, response } = exchange(port)
    response.catch(() => undefined)
    request.on('error', () => undefined)
    request.write(`${Array.from({ length: 30 }, (_, index) => facts(`${round}.${index}`)).join('\n')}\n{"half`)
    await sleep(round)
    request.destroy()
  }
  const [head] = (
    await raw(
      port,
      `POST /v1/evaluations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"half`,
    )
  ).split('\r\n')
  t.match(head, /^$|400/)
  t.equal((await given.app.inject('/health/ready')).statusCode, 200)
  const settled = async () =>
    (await given.app.inject('/metrics')).body.includes('imagegate_store_records_in_flight 0\n')
  const until = performance.now() + 10_000
  while (!(await settled()) && performance.now() < until) await sleep(50)
  t.ok(await settled(), 'what was begun came to its end')
  t.equal(given.log.filter(({ level }) => Number(level) >= 50).length, 0)
  t.ok(given.log.some(({ aborted }) => aborted === true))
})

t.test('a body that arrives too slowly is given up', async (t) => {
  const given = await stage(t.testdir(), { bodySeconds: 0.3 })
  t.teardown(given.close)
  const port = await listening(given)
  const head = 'POST /v1/evaluations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
  const dripped = `${head}content-length: 500\r\n\r\n${' '.repeat(500)}`
  const slow = await raw(port, dripped, { piece: 1 })
  t.match(slow, /^HTTP\/1\.1 408 [\s\S]*REQUEST_TIMEOUT/)
  const { request, lines } = exchange(port)
  request.on('error', () => undefined)
  request.write(`${facts('in time')}\n{"half`)
  t.match(await next(lines), { line: 1, status: 201 })
  t.match(await next(lines), { line: 2, status: 408, problem: { code: 'REQUEST_TIMEOUT' } })
  t.equal((await lines.next()).done, true)
})

t.test('what is not HTTP gets a problem and a closed connection', async (t) => {
  const given = await stage(t.testdir())
  t.teardown(given.close)
  const port = await listening(given)
  const cases = [
    ['\u0016\u0003\u0001\r\n\r\n', /^HTTP\/1\.1 400 [\s\S]*REQUEST_MALFORMED/],
    ['GET /\u0000 HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400 [\s\S]*REQUEST_MALFORMED/],
    [`GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 [\s\S]*HEADERS_TOO_LARGE/],
    [`GET /${'y'.repeat(20_000)} HTTP/1.1\r\n\r\n`, /^HTTP\/1\.1 431 [\s\S]*HEADERS_TOO_LARGE/],
    ['POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n', /^HTTP\/1\.1 400/],
    ['GET / HTTP/1.1\r\n\r\n', /^HTTP\/1\.1 400/],
  ] as const
  for (const [text, expected] of cases)
    t.match(await raw(port, text, { end: false }), expected, JSON.stringify(text.slice(0, 20)))
  const big = `POST /v1/evaluations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9999999\r\n\r\n`
  t.match(await raw(port, big, { end: false }), /^HTTP\/1\.1 413 [\s\S]*BODY_TOO_LARGE/)
  const chunk = `100000\r\n${' '.repeat(0x100000)}\r\n`
  const chunked = `POST /v1/evaluations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${chunk}${chunk}`
  t.match(await raw(port, chunked, { end: false }), /^HTTP\/1\.1 413 [\s\S]*BODY_TOO_LARGE/)
  t.match(await raw(port, 'BREW /pot HTTP/1.1\r\nhost: x\r\n\r\n'), /^HTTP\/1\.1 400/)
  t.match(
    await raw(port, 'PURGE /v1/verdicts HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
    /^HTTP\/1\.1 405 [\s\S]*allow: GET, HEAD/,
  )
  t.equal((await given.app.inject('/health/live')).statusCode, 200)
})

t.test('a database that takes nothing more gives 503s, and recovers', async (t) => {
  const given = await stage(t.testdir())
  t.teardown(given.close)
  const post = (name: string) =>
    given.app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body: facts(name) })
  const kept = (await post('before')).json().id
  const other = new Database(given.file)
  other.exec('ALTER TABLE fact_documents RENAME TO away')
  const refused = await post('during')
  t.equal(refused.statusCode, 503)
  t.match(JSON.parse(refused.body), { code: 'STORE_UNAVAILABLE' })
  t.match(refused.headers['retry-after'], /^\d+$/)
  const batch = await given.app.inject({
    method: 'POST',
    url: '/v1/evaluations/batch',
    headers: ndjson,
    body: [facts('l1'), '{', facts('l3')].join('\n'),
  })
  t.equal(batch.statusCode, 200)
  const statuses = batch.body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).status)
  t.same(statuses, [503, 400, 503], 'the stream goes on to its end')
  t.equal((await given.app.inject('/health/live')).statusCode, 200)
  t.equal((await given.app.inject(`/v1/verdicts/${kept}`)).statusCode, 200, 'what is recorded can be read')
  other.exec('ALTER TABLE away RENAME TO fact_documents')
  other.close()
  t.equal((await post('after')).statusCode, 201)
  t.equal((await given.app.inject('/health/ready')).statusCode, 200)
  const { verdicts } = (await given.app.inject('/v1/verdicts')).json()
  t.same(
    verdicts.map(({ imageName }: { imageName: string }) => imageName),
    ['after', 'before'],
  )
})

interface Served {
  readonly child: ChildProcess
  readonly port: number
  readonly log: string[]
  readonly exit: Promise<number | null>
}

async function serve(t: Test, environment: Record<string, string> = {}): Promise<Served> {
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(new URL('serve.ts', import.meta.url))], {
    env: {
      ...process.env,
      IMAGEGATE_PORT: '0',
      IMAGEGATE_POLICIES: shippedPolicies,
      IMAGEGATE_DATABASE_URL: join(t.testdir(), 'served.db'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const log: string[] = []
  const exit = once(child, 'exit').then(([code]: (number | null)[]) => code ?? null)
  const lines = createInterface({ input: child.stdout })
  const port = new Promise<number>((resolve, reject) => {
    lines.on('line', (line) => {
      log.push(line)
      const url: unknown = JSON.parse(line).url
      if (typeof url === 'string') resolve(Number(new URL(url).port))
    })
    exit.then((code) => reject(new Error(`it ended with ${code}: ${log.join('\n')}`)))
  })
  return { child, port: await port, log, exit }
}

t.test('a signal stops the service in order', async (t) => {
  const { child, port, log, exit } = await serve(t, { IMAGEGATE_SHUTDOWN_DELAY_SECONDS: '1' })
  const url = `http://127.0.0.1:${port}`
  t.equal((await fetch(`${url}/health/ready`)).status, 200)
  const { request, lines } = exchange(port)
  request.write(`${facts('before the signal')}\n`)
  t.match(await next(lines), { line: 1, status: 201 })
  child.kill('SIGTERM')
  while (!log.some((line) => line.includes('"stopping"'))) await sleep(10)
  const ready = await fetch(`${url}/health/ready`)
  t.equal(ready.status, 503)
  t.match(await ready.json(), { code: 'SHUTTING_DOWN' })
  t.equal((await fetch(`${url}/health/live`)).status, 200)
  const late = await fetch(`${url}/v1/evaluations`, { method: 'POST', headers: json, body: facts('draining') })
  t.equal(late.status, 201, 'until balancers have noticed, work is done')
  await sleep(1100)
  await t.rejects(fetch(`${url}/health/live`), 'nothing more is accepted')
  request.write(`${facts('after the end')}\n`)
  t.match(await next(lines), { line: 2, status: 503, problem: { code: 'SHUTTING_DOWN' } })
  request.end()
  t.equal((await lines.next()).done, true)
  t.equal(await exit, 0)
  t.match(log.at(-1), /"complete":true/)
})

t.test('what does not end in time is cut off, and a second signal ends at once', async (t) => {
  const slow = await serve(t, { IMAGEGATE_SHUTDOWN_SECONDS: '1' })
  const first = exchange(slow.port)
  first.request.on('error', () => undefined)
  first.request.write(`${facts('a')}\n`)
  t.match(await next(first.lines), { status: 201 })
  const start = performance.now()
  slow.child.kill('SIGINT')
  t.equal(await slow.exit, 1)
  t.ok(performance.now() - start < 5000)
  t.match(slow.log.at(-1), /"complete":false/)

  const stuck = await serve(t, { IMAGEGATE_SHUTDOWN_SECONDS: '60' })
  const second = exchange(stuck.port)
  second.request.on('error', () => undefined)
  second.request.write(`${facts('b')}\n`)
  t.match(await next(second.lines), { status: 201 })
  stuck.child.kill('SIGTERM')
  while (!stuck.log.some((line) => line.includes('"stopping"'))) await sleep(10)
  stuck.child.kill('SIGTERM')
  t.equal(await stuck.exit, 1)
})

t.test('lines are the same however the stream is cut', async (t) => {
  const text = Buffer.from('\n{"a":1}\r\n \t\n0123456789\n\n01234567890\nlast')
  const expected = [
    [2, '{"a":1}\r'],
    [4, '0123456789'],
    [6, 'BODY_TOO_LARGE'],
    [7, 'last'],
  ]
  for (let size = 1; size <= text.length; size += 1) {
    async function* pieces() {
      for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size)
    }
    const found: unknown[] = []
    for await (const one of splitLines(pieces(), 10)) {
      found.push([one.line, 'bytes' in one ? one.bytes.toString() : one.error.code])
    }
    t.strictSame(found, expected, `in pieces of ${size}`)
  }
})

t.test('work is done within its window and told in order', async (t) => {
  let running = 0
  let most = 0
  async function* items() {
    for (let item = 0; item < 200; item += 1) yield item
  }
  const work = async (item: number) => {
    running += 1
    most = Math.max(most, running)
    await sleep((item * 7) % 5)
    running -= 1
    return item
  }
  const results: number[] = []
  for await (const result of inOrder(items(), work, 8)) results.push(result)
  t.same(
    results,
    Array.from({ length: 200 }, (_, item) => item),
  )
  t.equal(most, 8)
})
