import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { makeKey, readKey } from '../../server/access/key.ts'
import type { Role } from '../../server/access/roles.ts'
import type { Store } from '../../server/audit/store.ts'
import { ApiKeyCallers } from '../../server/http/api-key-callers.ts'
import { bearerAuthentication } from '../../server/http/bearer.ts'
import { imagegate } from '../cli/support.ts'
import { facts, json, problem, type Stage, stage } from './support.ts'

let clock = new Date('2026-11-25T00:00:00Z')

function secured(t: Test): Promise<Stage> {
  const authenticate = (store: Store) => bearerAuthentication(new ApiKeyCallers(store, () => clock))
  return stage(t.testdir(), {}, undefined, authenticate)
}

async function key(store: Store, role: Role, tenant = 'default', expiresAt?: string) {
  const { id, text, digest } = makeKey()
  const createdAt = clock.toISOString()
  const made = { id, tenant, role, name: 'test', digest, createdAt, ...(expiresAt !== undefined && { expiresAt }) }
  await store.changeApiKeys({ kind: 'create', key: made })
  return { id, text, headers: { authorization: `Bearer ${text}` } }
}

t.test('a key is read by its form, and one wrong character makes it none', async (t) => {
  const { id, text, digest } = makeKey()
  t.match(text, /^imagegate_[a-z2-7]{16}_[a-z2-7]{60}$/)
  t.same(readKey(text), { id, digest })
  for (let at = 0; at < text.length; at += 1) {
    const wrong = `${text.slice(0, at)}${text[at] === 'b' ? 'c' : 'b'}${text.slice(at + 1)}`
    t.equal(readKey(wrong), undefined, `character ${at}`)
  }
  for (const wrong of ['', text.toUpperCase(), `${text}a`, text.slice(0, -1), ` ${text}`])
    t.equal(readKey(wrong), undefined)
  t.equal(new Set(Array.from({ length: 1000 }, () => makeKey().text)).size, 1000)
})

t.test('without a valid credential every address but the public ones answers the same 401', async (t) => {
  const { app, store, close } = await secured(t)
  t.teardown(close)
  const good = await key(store, 'admin')
  const ended = await key(store, 'admin', 'default', '2026-11-24T00:00:00.000Z')
  const revoked = await key(store, 'admin')
  await store.changeApiKeys({ kind: 'revoke', id: revoked.id, at: clock.toISOString() })
  const unknown = makeKey().text
  const forged = makeKey().text.replace(/_[a-z2-7]{16}_/, `_${good.id}_`)
  const invalid = [
    unknown,
    forged,
    ended.text,
    revoked.text,
    'x',
    'eyJhbGciOiJub25lIn0.e30.',
    'a'.repeat(9000),
    `${good.text} x`,
  ]
  const answers = new Set<string>()
  for (const url of [
    '/v1/verdicts',
    '/v1/policies',
    '/metrics',
    '/v1/verdicts/x',
    '/nothing/here',
    '/v1/evaluations',
  ]) {
    const none = await app.inject(url)
    t.equal(problem(none).code, 'UNAUTHENTICATED', url)
    t.equal(none.headers['www-authenticate'], 'Bearer realm="imagegate"')
    for (const credential of invalid) {
      const answer = await app.inject({ url, headers: { authorization: `Bearer ${credential}` } })
      t.equal(answer.statusCode, 401)
      t.match(answer.headers['www-authenticate'], /error="invalid_token"$/)
      answers.add(problem(answer).detail)
    }
    for (const authorization of [`Basic ${good.text}`, good.text, 'Bearer', '']) {
      t.equal((await app.inject({ url, headers: { authorization } })).statusCode, 401, authorization.slice(0, 9))
    }
  }
  t.equal(answers.size, 1, 'nothing tells why a credential is refused')
  for (const url of ['/health/live', '/health/ready', '/v1/problems', '/v1/schemas', '/openapi.json', '/docs/']) {
    t.equal((await app.inject(url)).statusCode, 200, url)
  }
  t.equal((await app.inject({ url: '/nothing/here', headers: good.headers })).statusCode, 404)
  t.equal((await app.inject({ url: '/v1/evaluations', headers: good.headers })).statusCode, 405)
})

t.test('a body is not read before it is known who sends it', async (t) => {
  const { app, store, close } = await secured(t)
  t.teardown(close)
  const { headers } = await key(store, 'submitter')
  const malformed = { method: 'POST', url: '/v1/evaluations', body: '{' } as const
  t.equal((await app.inject({ ...malformed, headers: json })).statusCode, 401)
  t.equal((await app.inject({ ...malformed, headers: { ...json, ...headers } })).statusCode, 400)
})

t.test(
  'a revoked key is refused from the next request on, whoever revoked it, and one that ends when it ends',
  async (t) => {
    const { app, store, file, close } = await secured(t)
    t.teardown(close)
    t.teardown(() => {
      clock = new Date('2026-11-25T00:00:00Z')
    })
    const status = async ({ headers }: { headers: Record<string, string> }) =>
      (await app.inject({ url: '/v1/policies', headers })).statusCode
    const [one, other, brief] = [
      await key(store, 'reader'),
      await key(store, 'reader'),
      await key(store, 'reader', 'default', '2026-11-25T01:00:00.000Z'),
    ]
    for (const each of [one, other, brief]) t.equal(await status(each), 200)
    t.equal(await status(one), 200, 'as it is remembered')
    await store.changeApiKeys({ kind: 'revoke', id: one.id, at: clock.toISOString() })
    t.equal(await status(one), 401)
    t.equal(await status(other), 200)
    const ran = await imagegate(['keys', 'revoke', other.id, '--database', file])
    t.equal(ran.code, 0, ran.stderr)
    t.equal(await status(other), 401, 'revoked by another process')
    clock = new Date('2026-11-25T00:59:59.999Z')
    t.equal(await status(brief), 200)
    clock = new Date('2026-11-25T01:00:00.000Z')
    t.equal(await status(brief), 401)
  },
)

t.test('a remembered key is asked for again only after keys were changed, or after some seconds', async (t) => {
  const { store, close } = await secured(t)
  t.teardown(close)
  const { text } = await key(store, 'reader')
  let asked = 0
  const apiKey = (id: string) => {
    asked += 1
    return store.apiKey(id)
  }
  const counting = { ...store, apiKey }
  const callers = new ApiKeyCallers(counting, () => clock)
  const ask = async (from: ApiKeyCallers) => {
    for (let round = 0; round < 100; round += 1) await from.callerOf(text)
  }
  await ask(callers)
  t.equal(asked, 1)
  await store.acceptBundle({ sequence: 1, digest: 'sha256:a', signedBy: 'sha256:b' })
  await ask(callers)
  t.equal(asked, 1, 'what else is written does not matter')
  await key(store, 'reader')
  await ask(callers)
  t.equal(asked, 2)
  const untold = new ApiKeyCallers({ ...counting, version: () => undefined }, () => clock)
  await ask(untold)
  t.equal(asked, 3, 'where the store cannot tell, the last seconds are trusted')
  await sleep(2050)
  await ask(callers)
  await ask(untold)
  t.equal(asked, 5)
})

t.test('a verdict names the key that asked for it, and so does the log', async (t) => {
  const { app, store, log, close } = await secured(t)
  t.teardown(close)
  const { id, text, headers } = await key(store, 'admin', 'payments')
  const made = await app.inject({
    method: 'POST',
    url: '/v1/evaluations',
    headers: { ...json, ...headers },
    body: facts('a'),
  })
  t.match(made.json(), { tenant: 'payments', submittedBy: { caller: `key:${id}` } })
  t.ok(log.some(({ caller }) => caller === `key:${id}`))
  t.notMatch(JSON.stringify(log), text)
})

t.test('the first key gets in by the command line, into a database that the service then opens', async (t) => {
  const folder = t.testdir()
  const file = `${folder}/data/imagegate.db`
  const run = (...args: string[]) => imagegate(['keys', ...args, '--database', file])
  const made = await run(
    'create',
    '--role',
    'submitter',
    '--name',
    'pipeline',
    '--tenant',
    'payments',
    '--expires',
    '90d',
  )
  t.equal(made.code, 0, made.stderr)
  const text = made.stdout.trim()
  const id = readKey(text)?.id ?? ''
  t.notMatch(made.stderr, text)
  const listed = JSON.parse((await run('list', '--format', 'json')).stdout)
  t.match(listed, { id, tenant: 'payments', role: 'submitter', name: 'pipeline', state: 'in use' })
  t.equal(listed.digest, undefined)
  t.match((await run('list', '--format', 'human')).stdout, new RegExp(`${id} +in use +payments +submitter`))

  const environment = {
    ...process.env,
    IMAGEGATE_PORT: '0',
    IMAGEGATE_AUTHENTICATION: 'required',
    IMAGEGATE_DATABASE_URL: file,
  }
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(new URL('serve.ts', import.meta.url))], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let url = ''
  for await (const line of createInterface({ input: child.stdout })) {
    url = JSON.parse(line).url ?? ''
    if (url !== '') break
  }
  const post = (key: string) =>
    fetch(`${url}/v1/evaluations`, {
      method: 'POST',
      headers: { ...json, authorization: `Bearer ${key}` },
      body: facts('a'),
    })
  t.equal((await post(text)).status, 201)
  t.equal((await fetch(`${url}/v1/verdicts`, { headers: { authorization: `Bearer ${text}` } })).status, 403)

  const reader = (await run('create', '--role', 'reader', '--name', 'r', '--tenant', 'payments')).stdout.trim()
  const keyFile = `${folder}/key`
  writeFileSync(keyFile, `${reader}\n`, { mode: 0o600 })
  const list = (environment: Record<string, string>, ...args: string[]) =>
    imagegate(['verdicts', 'list', '--server', url, '--format', 'json', ...args], { environment })
  t.match((await list({})).stderr, /UNAUTHENTICATED/)
  t.match((await list({ IMAGEGATE_API_KEY: text })).stderr, /FORBIDDEN/)
  for (const ran of [await list({ IMAGEGATE_API_KEY: reader }), await list({}, '--api-key-file', keyFile)]) {
    t.equal(ran.code, 0, ran.stderr)
    t.equal(ran.stdout.split('\n').length, 2, 'the one verdict of its tenant')
  }
  writeFileSync(keyFile, `${reader}\n${text}\n`)
  for (const wrong of [keyFile, `${folder}/none`]) {
    const refused = await list({}, '--api-key-file', wrong)
    t.match(refused.stderr, /FILE_UNREADABLE/)
    t.notMatch(refused.stderr, reader)
  }
  const other = await imagegate(['verdicts', 'list', '--database', file, '--api-key-file', keyFile])
  t.match(other.stderr, /--api-key-file belongs to --server/)

  const replaced = await run('create', '--replaces', id, '--grace', '0m', '--format', 'json')
  t.equal(replaced.code, 0, replaced.stderr)
  const next = JSON.parse(replaced.stdout)
  t.match(next, { tenant: 'payments', role: 'submitter', name: 'pipeline' })
  t.equal((await post(next.key)).status, 201)
  t.equal((await post(text)).status, 401, 'the replaced key has ended')
  child.kill('SIGTERM')
  t.same(await once(child, 'exit'), [0, null])
})

t.test('a command about keys that cannot be says why and changes nothing', async (t) => {
  const folder = t.testdir()
  const file = `${folder}/imagegate.db`
  const run = (...args: string[]) => imagegate(['keys', ...args, '--database', file])
  const cases: readonly (readonly [RegExp, ...string[]])[] = [
    [/needs --role and --name/, 'create', '--role', 'admin'],
    [/--role .*invalid|Allowed choices/, 'create', '--role', 'root', '--name', 'x'],
    [/--tenant is 1 to 64/, 'create', '--role', 'admin', '--name', 'x', '--tenant', '*'],
    [/--name is one line/, 'create', '--role', 'admin', '--name', 'a\nb'],
    [/--expires is a duration/, 'create', '--role', 'admin', '--name', 'x', '--expires', '2027-02-31'],
    [/--expires is in the past/, 'create', '--role', 'admin', '--name', 'x', '--expires', '2020-01-01'],
    [/--grace belongs to --replaces/, 'create', '--role', 'admin', '--name', 'x', '--grace', '1h'],
    [/API_KEY_NOT_FOUND/, 'revoke', 'aaaaaaaaaaaaaaaa'],
    [/API_KEY_NOT_FOUND/, 'create', '--replaces', 'aaaaaaaaaaaaaaaa'],
  ]
  t.match((await run('list')).stderr, /FILE_UNREADABLE/)
  t.equal((await run('create', '--role', 'admin', '--name', 'x')).code, 0)
  for (const [expected, ...args] of cases) {
    const ran = await run(...args)
    t.equal(ran.code, 3, args.join(' '))
    t.match(ran.stderr, expected)
  }
  t.equal((await run('list', '--format', 'json')).stdout.split('\n').length, 2, 'one key and no other')
})
