import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { appendFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { sha256 } from '../../server/digest.ts'
import type { Verdict } from '../../server/documents/verdict.ts'
import { judge } from '../../server/evaluation/judge.ts'
import { parseFacts } from '../../server/facts/parse.ts'
import { makeBundle } from '../../server/policy/bundle.ts'
import { lockFile } from '../../server/policy/load.ts'
import { count, long, random, seed } from '../support/long.ts'
import { type GoodSet, goodSet, policyFolder, putSet } from './policy-sets.ts'
import { example, json } from './support.ts'

const top = fileURLToPath(new URL('../../', import.meta.url))
const document = example('linux/not-listed.json')
const connections = 64
const reloads = count(1000, 10)
const sets = await Promise.all((long ? [1, 2, 3, 4, 5] : [1, 2, 3]).map(goodSet))

interface Service {
  readonly child: ChildProcess
  readonly url: string
}

/** The built program, as users run it (npm test builds it first). */
async function serve(t: Test, folder: string, environment: Record<string, string> = {}): Promise<Service> {
  const child = spawn(process.execPath, ['dist/main.js', 'serve'], {
    cwd: top,
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      IMAGEGATE_PORT: '0',
      IMAGEGATE_DATABASE_URL: `file:${join(t.testdirName, 'imagegate.db')}`,
      IMAGEGATE_POLICIES: folder,
      IMAGEGATE_LOG_LEVEL: 'silent',
      IMAGEGATE_MAX_DELAY_MS: '0',
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
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

interface Ready {
  readonly digest: string
  readonly reload: string
  readonly bundle?: number
  readonly failed?: { code: string; title: string; problems: { file?: string; line?: number; message: string }[] }
}

async function ready({ url }: Service): Promise<Ready> {
  const answer = await fetch(`${url}/health/ready`)
  const told: { policies: Ready } = JSON.parse(await answer.text())
  if (answer.status !== 200) throw new Error(`ready answered ${answer.status}`)
  return told.policies
}

async function counts({ url }: Service): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const found = [...text.matchAll(/^imagegate_policy_reloads_total\{result="([a-z]+)"\} (\d+)$/gm)]
  const failed = /^imagegate_policy_reload_failed (\d)$/m.exec(text)?.[1]
  return { ...Object.fromEntries(found.map(([, name, value]) => [name, Number(value)])), failing: Number(failed) }
}

/** Sends SIGHUP and waits until one more reload is counted; tells what it came to. */
async function reload(service: Service): Promise<string> {
  const before = await counts(service)
  service.child.kill('SIGHUP')
  for (;;) {
    await sleep(10)
    const after = await counts(service)
    const result = ['changed', 'unchanged', 'failed'].find((name) => after[name] !== before[name])
    if (result !== undefined) return result
  }
}

function post(agent: Agent, url: string): Promise<{ status: number; body: string; ms: number }> {
  const start = performance.now()
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method: 'POST', headers: json }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk) => chunks.push(chunk)).on('error', reject)
      answer.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        if (!answer.complete) reject(new Error('cut off'))
        else resolve({ status: answer.statusCode ?? 0, body, ms: performance.now() - start })
      })
    })
    sent.on('error', reject)
    sent.end(document)
  })
}

/** What a verdict says apart from when it was reached and where it is kept. */
function substance(verdict: Verdict): string {
  const { id: _id, tenant: _tenant, recordedAt: _recordedAt, asOf: _asOf, submittedBy: _by, ...rest } = verdict
  return JSON.stringify(rest)
}

const facts = parseFacts(document)
const expected = new Map(
  sets.map(({ version, set }) => {
    const { verdict } = judge(set, facts, {}, new Date())
    return [version, substance(verdict)]
  }),
)

/** One way to spoil a folder each, and the code that refuses it. */
const spoilers: readonly (readonly [code: string, spoil: (folder: string, next: GoodSet) => Promise<void>])[] = [
  ['POLICY_CHANGED', (folder, { version }) => appendFile(join(folder, `linux/${version}.yaml`), '# a word more\n')],
  ['POLICY_INVALID', (folder) => writeFile(join(folder, 'linux/9.9.9.yaml'), 'schema: [\n')],
  ['POLICY_CHANGED', (folder, { version }) => rm(join(folder, `nonstandard-linux/${version}.yaml`))],
  ['POLICY_INVALID', (folder) => writeFile(join(folder, lockFile), '{"schema":')],
  ['FILE_UNREADABLE', (folder) => rm(join(folder, lockFile))],
  ['POLICY_CHANGED', async (folder, { lock }) => writeFile(join(folder, lockFile), lock.replace('1.0.0', '1.0.1'))],
]

function percentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1)
}

t.test(`${reloads} reloads under ${connections} connections, half of them bad: none fails, none mixes`, async (t) => {
  const folder = t.testdir({})
  await policyFolder(folder)
  let [current = await goodSet(1)] = sets
  await putSet(folder, current)
  const service = await serve(t, folder)
  const next = random(seed)
  t.comment(`seed ${seed}`)
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const calm: number[] = []
  const busy: number[] = []
  const seen = new Map<string, number>()
  const recorded: string[] = []
  const warming: number[] = []
  let phase: number[] | undefined = warming

  async function client(index: number): Promise<void> {
    const url = `${service.url}/v1/evaluations${index % 2 === 0 ? '?record=false' : ''}`
    while (phase !== undefined) {
      const into = phase
      const { status, body, ms } = await post(agent, url)
      into.push(ms)
      if (status !== 200 && status !== 201) {
        t.fail(`a request was answered with ${status}`, { body })
        return
      }
      const verdict: Verdict = JSON.parse(body)
      const { version } = verdict.policy
      seen.set(version, (seen.get(version) ?? 0) + 1)
      if (substance(verdict) !== expected.get(version)) {
        const others = verdict.alternatives.map(({ policy }) => policy.version)
        t.fail(`a verdict of ${version}, alternatives ${others}, is not the one of that set`)
      }
      if (verdict.id !== undefined) recorded[Math.floor(next() * 40)] = verdict.id
    }
  }

  const clients = Array.from({ length: connections }, (_, index) => client(index))
  await sleep(1500)
  phase = calm
  await sleep(1500)
  phase = busy
  for (let round = 0; round < reloads; round += 1) {
    const good = sets[(round / 2 + 1) % sets.length]
    if (round % 2 === 0 && good !== undefined) {
      await putSet(folder, good, current)
      current = good
      if ((await reload(service)) !== 'changed')
        t.fail(`round ${round}: a good set was not taken`, await ready(service))
      continue
    }
    const [code, spoil] = spoilers[Math.floor(next() * spoilers.length)] ?? ['', async () => undefined]
    await spoil(folder, current)
    if ((await reload(service)) !== 'failed') t.fail(`round ${round}: a bad set was taken`)
    const { failed, reload: last } = await ready(service)
    if (failed?.code !== code || last !== 'failed') t.fail(`round ${round}: not ${code}`, { failed })
    await rm(join(folder, 'linux/9.9.9.yaml'), { force: true })
  }
  await putSet(folder, current)
  t.equal(await reload(service), 'unchanged', 'the last good set is still served, and its files mended')
  t.same(await counts(service), { changed: reloads / 2, unchanged: 1, failed: reloads / 2, failing: 0 })
  phase = undefined
  await Promise.all(clients)
  t.ok(seen.size >= Math.min(sets.length, reloads / 2), `verdicts of ${seen.size} sets`)
  t.ok(calm.length + busy.length > reloads * 10, 'under load')
  t.comment(`${calm.length + busy.length} requests; ms calm p50 ${percentile(calm, 0.5)} p99 ${percentile(calm, 0.99)}`)
  t.comment(`ms reloading p50 ${percentile(busy, 0.5)} p99 ${percentile(busy, 0.99)} max ${percentile(busy, 1)}`)
  for (const id of recorded.filter((one) => one !== undefined)) {
    const replayed: { result: string } = JSON.parse(
      await (await fetch(`${service.url}/v1/verdicts/${id}/replay`)).text(),
    )
    if (replayed.result !== 'same') t.fail(`${id} does not replay from the record alone`, replayed)
  }
  agent.destroy()
  const gone = once(service.child, 'exit')
  service.child.kill('SIGTERM')
  t.same(await gone, [0, null])
})

async function until(holds: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + 20_000
  while (performance.now() < end) {
    if (await holds()) return true
    await sleep(50)
  }
  return false
}

t.test('a watched folder is reloaded when it changes, however it is changed', async (t) => {
  const [one, two, three] = sets
  if (one === undefined || two === undefined || three === undefined) throw new Error('no sets')
  const top = t.testdir({})
  const folder = join(top, 'policies')
  await policyFolder(folder)
  await putSet(folder, one)
  const service = await serve(t, folder, { IMAGEGATE_POLICY_WATCH: 'yes' })
  const served = (digest: string) => until(async () => (await ready(service)).digest !== digest)
  let { digest } = await ready(service)

  await putSet(folder, two, one)
  t.ok(await served(digest), 'written in place, file by file')
  digest = (await ready(service)).digest

  await policyFolder(join(top, 'next'))
  await putSet(join(top, 'next'), three)
  await rename(folder, join(top, 'old'))
  await rename(join(top, 'next'), folder)
  t.ok(await served(digest), 'another folder was renamed onto its name')
  digest = (await ready(service)).digest

  await rename(folder, join(top, 'three'))
  await symlink(join(top, 'old'), folder)
  t.ok(await served(digest), 'a link leads to another folder')
  digest = (await ready(service)).digest

  const draft = join(top, 'draft')
  await writeFile(draft, '{')
  await rename(draft, join(folder, lockFile))
  t.ok(await until(async () => (await ready(service)).reload === 'failed'), 'an editor renames its draft onto the file')
  const { failed } = await ready(service)
  t.match(failed, { code: 'POLICY_INVALID', title: 'A policy file is not valid', problems: [{ file: lockFile }] })
  t.equal((await ready(service)).digest, digest, 'the last good set stays')
  t.equal((await counts(service))['failing'], 1)
  await writeFile(join(folder, lockFile), two.lock)
  t.ok(await until(async () => (await ready(service)).reload === 'ok'), 'mended')
})

t.test('signed bundles are reloaded, and an older or a strange one leaves the last good one', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const folder = t.testdir({})
  const bundle = join(folder, 'policies.tar')
  const key = join(folder, 'public.pem')
  await writeFile(key, publicKey.export({ type: 'spki', format: 'pem' }))
  const put = async (index: number, sequence: number, signing = privateKey) => {
    const given = sets[index]
    if (given === undefined) throw new Error('no such set')
    const all = new Map([...given.all, [lockFile, given.lock]])
    await writeFile(`${bundle}.new`, makeBundle(all, sequence, signing))
    await rename(`${bundle}.new`, bundle)
  }
  await put(0, 3)
  const service = await serve(t, bundle, { IMAGEGATE_POLICY_PUBLIC_KEY: key })
  t.match(await ready(service), { reload: 'ok', bundle: 3 })
  await put(1, 4)
  t.equal(await reload(service), 'changed')
  const { digest } = await ready(service)
  await put(0, 3)
  t.equal(await reload(service), 'failed')
  t.match(await ready(service), { digest, bundle: 4, failed: { code: 'BUNDLE_ROLLBACK' } })
  await put(2, 5, generateKeyPairSync('ed25519').privateKey)
  t.equal(await reload(service), 'failed')
  t.match(await ready(service), { digest, bundle: 4, failed: { code: 'BUNDLE_SIGNATURE_INVALID' } })
})

t.test('a version that was served cannot get another body, even when the lock says so', async (t) => {
  const [one] = sets
  if (one === undefined) throw new Error('no sets')
  const folder = t.testdir({})
  await policyFolder(folder)
  await putSet(folder, one)
  const service = await serve(t, folder)
  const { digest } = await ready(service)
  const other = await goodSet(2)
  const moved = new Map(
    [...other.files].map(([file, text]) => [file.replace('1.2.0', '1.1.0'), text.replace('"1.2.0"', '"1.1.0"')]),
  )
  const lock = JSON.parse(one.lock)
  for (const policy of lock.policies) {
    const text = moved.get(`${policy.family}/${policy.version}.yaml`)
    if (text !== undefined) policy.digest = sha256(text)
  }
  await putSet(folder, { ...one, files: moved, lock: JSON.stringify(lock) })
  t.equal(await reload(service), 'failed')
  const { failed, digest: kept } = await ready(service)
  t.match(failed, {
    code: 'POLICY_CHANGED',
    problems: [{ file: 'linux/1.1.0.yaml' }, { file: 'nonstandard-linux/1.1.0.yaml' }],
  })
  t.equal(kept, digest)
})
