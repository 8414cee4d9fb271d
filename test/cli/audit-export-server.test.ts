import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import { example, imagegate } from './support.ts'

const folder = t.testdir()
const environment = {
  IMAGEGATE_DATABASE_URL: `file:${join(folder, 'audit.db')}`,
  IMAGEGATE_PORT: '0',
  IMAGEGATE_LOG_LEVEL: 'silent',
}
const keyFile = join(folder, 'checkpoint.pem')
writeFileSync(keyFile, generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }))
const running = await start(
  readConfig({
    ...environment,
    IMAGEGATE_AUTHENTICATION: 'required',
    IMAGEGATE_CHECKPOINT_KEY: keyFile,
    IMAGEGATE_CHECKPOINT_SECONDS: '1',
  }),
)
t.teardown(() => running.close())

async function keyOf(role: string): Promise<string> {
  const ran = await imagegate(['keys', 'create', '--role', role, '--name', role], { environment })
  if (ran.code !== 0) throw new Error(ran.stderr)
  return ran.stdout.trim()
}
const [submitter, reader, auditor] = [await keyOf('submitter'), await keyOf('reader'), await keyOf('auditor')]
const authorization = (key: string) => ({ authorization: `Bearer ${key}` })

const ids: string[] = []
for (let index = 0; index < 5; index += 1) {
  const answer = await fetch(`${running.url}/v1/evaluations`, {
    method: 'POST',
    headers: { ...authorization(submitter), 'content-type': 'application/json' },
    body: readFileSync(example('linux/ready.json'), 'utf8'),
  })
  ids.push(JSON.parse(await answer.text()).id)
}
for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(100)) {
  const proof = await fetch(`${running.url}/v1/verdicts/${ids.at(-1)}/proof`, { headers: authorization(auditor) })
  await proof.arrayBuffer()
  if (proof.ok) break
}

/** What a limit, or a busy service, answers before the request is looked at. */
type TurnedAway = readonly [status: number, code: string, retryAfter: number]

/** The service behind something that turns requests away; gives its address and the paths that it was asked for. */
async function behind(t: Test, turnedAway: (path: string, times: number) => TurnedAway | undefined) {
  const asked = new Map<string, number[]>()
  const proxy = createServer((given, answer) => {
    const path = given.url ?? ''
    const times = [...(asked.get(path) ?? []), Date.now()]
    asked.set(path, times)
    const refused = turnedAway(path, times.length)
    if (refused !== undefined) {
      const [status, code, retryAfter] = refused
      answer.writeHead(status, { 'content-type': 'application/problem+json', 'retry-after': String(retryAfter) })
      answer.end(JSON.stringify({ code, detail: 'Turned away.' }))
      return
    }
    request(`${running.url}${path}`, { headers: given.headers }, (passed) =>
      passed.pipe(answer.writeHead(passed.statusCode ?? 500, passed.headers)),
    ).end()
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => proxy.close())
  t.teardown(() => proxy.closeAllConnections())
  const address = proxy.address()
  return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, asked }
}

const exported = (output: string, server: string, key: string, ...args: string[]) =>
  imagegate(['audit', 'export', '--output', output, '--server', server, ...args], {
    environment: { IMAGEGATE_API_KEY: key },
  })
const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

t.test('an auditor exports every entry of the chain, and no facts are read that nobody asked for', async (t) => {
  const { url, asked } = await behind(t, () => undefined)
  const output = join(folder, 'whole.ndjson')
  const ran = await exported(output, url, auditor)
  t.equal(ran.code, 0, ran.stderr)
  t.match(JSON.parse(ran.stdout), { verdicts: 5, sealed: 5 })
  t.same(
    linesOf(output).map(({ entry }) => entry.verdictId),
    ids.toReversed(),
  )
  t.notOk([...asked.keys()].some((path) => path.endsWith('/facts')))
  t.equal((await exported(output, url, auditor, '--facts')).code, 0)
  t.equal([...asked.keys()].filter((path) => path.endsWith('/facts')).length, 5)
  t.ok(linesOf(output).every((line) => 'facts' in line))
})

t.test('a reader may list verdicts and not prove them: the export ends and says which role it takes', async (t) => {
  const output = join(folder, 'reader.ndjson')
  const ran = await exported(output, running.url, reader)
  t.equal(ran.code, 3)
  t.match(ran.stderr, /FORBIDDEN.*\n.*proof.*auditor and admin/)
  t.notOk(existsSync(output), 'no chain with holes is written')
})

t.test('an export waits as long as a limit says, for verdicts, proofs and facts', async (t) => {
  const { url, asked } = await behind(t, (path, times) =>
    path.startsWith('/v1/verdicts/') && times === 1 ? [429, 'RATE_LIMITED', 1] : undefined,
  )
  const output = join(folder, 'limited.ndjson')
  const ran = await exported(output, url, auditor, '--facts')
  t.equal(ran.code, 0, ran.stderr)
  t.match(JSON.parse(ran.stdout), { verdicts: 5, sealed: 5 })
  const each = [...asked].filter(([path]) => path.startsWith('/v1/verdicts/'))
  t.equal(each.length, 15)
  for (const [path, [first = 0, second = 0, ...more]] of each) {
    t.ok(second - first >= 900, `${path} was asked again after ${second - first} ms`)
    t.same(more, [])
  }
})

t.test('a proof that a busy server does not give is asked for again, and in the end ends the export', async (t) => {
  const isProof = (path: string) => path.endsWith('/proof')
  const soon = await behind(t, (path, times) => (isProof(path) && times === 1 ? [503, 'OVERLOADED', 2] : undefined))
  const output = join(folder, 'busy.ndjson')
  t.match(JSON.parse((await exported(output, soon.url, auditor)).stdout), { verdicts: 5, sealed: 5 })
  const damaged = await behind(t, (path) => (isProof(path) ? [500, 'INTERNAL', 0] : undefined))
  const before = readFileSync(output, 'utf8')
  const ran = await exported(output, damaged.url, auditor)
  t.equal(ran.code, 3)
  t.match(ran.stderr, 'INTERNAL')
  t.equal(readFileSync(output, 'utf8'), before)
})

t.test('before a checkpoint covers a verdict it is exported without its entry', async (t) => {
  const { url } = await behind(t, (path) => (path.endsWith('/proof') ? [409, 'PROOF_PENDING', 30] : undefined))
  const ran = await exported(join(folder, 'pending.ndjson'), url, auditor)
  t.match(JSON.parse(ran.stdout), { verdicts: 5, sealed: 0 })
})
