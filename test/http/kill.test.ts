import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { count, random, seed } from '../support/long.ts'
import { example } from './support.ts'

const top = fileURLToPath(new URL('../../', import.meta.url))
const document = JSON.parse(example('linux/several-faults.json').toString())
const connections = 64
const cycles = count(100, 2)
t.comment(`seed ${seed}, ${cycles} cycles`)

interface Server {
  child: ChildProcess
  url: string
}

/** The built program, as users run it (npm test builds it first). */
async function serve(file: string): Promise<Server> {
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    IMAGEGATE_PORT: '0',
    IMAGEGATE_DATABASE_URL: `file:${file}`,
    IMAGEGATE_LOG_LEVEL: 'warn',
    IMAGEGATE_MAX_DELAY_MS: '0',
  }
  const child = spawn(process.execPath, ['dist/main.js', 'serve'], {
    cwd: top,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  for await (const chunk of child.stderr) {
    said += String(chunk)
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0]
    if (url !== undefined) {
      child.stderr.resume()
      return { child, url }
    }
  }
  throw new Error(`the service did not start: ${said}`)
}

interface Answer {
  status: number
  body: string
}

function call(
  agent: Agent,
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { body, ...rest } = options
    const sent = request(url, { agent, ...rest }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk) => chunks.push(chunk))
      answer.on('error', reject)
      // Only a complete answer is an acknowledgement.
      answer.on('end', () =>
        answer.complete
          ? resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() })
          : reject(new Error('cut off')),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

interface Sent {
  key: string
  name: string
  /** The verdict as it was answered, once it was. */
  answer?: string
}

/** Posts over one connection until the server is gone. */
async function post(agent: Agent, url: string, label: string, sent: Sent[]): Promise<void> {
  for (let index = 0; ; index += 1) {
    const one: Sent = { key: `${label}-${index}`, name: `${label}-${index}.qcow2` }
    sent.push(one)
    const body = JSON.stringify({ ...document, image: { ...document.image, name: one.name } })
    try {
      const { status, body: answer } = await call(agent, `${url}/v1/evaluations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': one.key },
        body,
      })
      if (status !== 201) throw new Error(`answered ${status}`)
      one.answer = answer
    } catch {
      return
    }
  }
}

t.test(
  `killed ${cycles} times in the middle of ${connections} concurrent posts, the service loses and doubles nothing`,
  async (t) => {
    const file = join(t.testdir(), 'imagegate.db')
    const next = random(seed)
    let acknowledged = 0
    let unanswered = 0
    let server = await serve(file)
    t.teardown(() => server.child.kill('SIGKILL'))
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const sent: Sent[] = []
      const agent = new Agent({ keepAlive: true, maxSockets: connections })
      const clients = Array.from({ length: connections }, (_, index) =>
        post(agent, server.url, `c${cycle}-${index}`, sent),
      )
      // However slow the machine is, each kill comes amid answers.
      while (sent.filter(({ answer }) => answer !== undefined).length < 10) await sleep(5)
      await sleep(next() * 400)
      const gone = once(server.child, 'exit')
      server.child.kill('SIGKILL')
      await Promise.all([gone, ...clients])
      agent.destroy()

      server = await serve(file)
      const reader = new Agent({ keepAlive: true, maxSockets: 8 })
      await Promise.all(
        sent.map(async ({ name, answer }) => {
          const listed = JSON.parse((await call(reader, `${server.url}/v1/verdicts?imageName=${name}`)).body)
          if (listed.verdicts.length > 1) t.fail(`${name} was recorded twice`)
          if (answer === undefined) {
            unanswered += 1
            return
          }
          acknowledged += 1
          const { id } = JSON.parse(answer)
          const found = await call(reader, `${server.url}/v1/verdicts/${id}`)
          if (found.status !== 200 || found.body !== answer)
            t.fail(`${id} was acknowledged and is not there as answered`, found)
          const replayed = JSON.parse((await call(reader, `${server.url}/v1/verdicts/${id}/replay`)).body)
          if (replayed.result !== 'same') t.fail(`${id} does not replay`, replayed)
        }),
      )
      reader.destroy()
    }
    const gone = once(server.child, 'exit')
    server.child.kill('SIGTERM')
    t.same(await gone, [0, null], 'a last stop in order ends with 0')
    t.comment(`${acknowledged} acknowledged, ${unanswered} cut off`)
    t.ok(acknowledged >= cycles * 10, 'posts were acknowledged')
    t.ok(unanswered >= cycles, 'posts were cut off')
  },
)
