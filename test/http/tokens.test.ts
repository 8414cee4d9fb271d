import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { exportJWK, SignJWT, UnsecuredJWT } from 'jose'
import t, { type Test } from 'tap'
import type { Store } from '../../server/audit/store.ts'
import { ApiKeyCallers } from '../../server/http/api-key-callers.ts'
import { bearerAuthentication } from '../../server/http/bearer.ts'
import { tokenCallers } from '../../server/http/token-callers.ts'
import { type IssuerOptions, tokenVerifier } from '../../server/issuer/token.ts'
import { facts, json, problem, stage } from './support.ts'

const now = new Date('2026-11-25T12:00:00Z')
const seconds = now.getTime() / 1000

interface Pair {
  readonly kid: string
  readonly alg: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

const rsa = (kid: string): Pair => ({ kid, alg: 'RS256', ...generateKeyPairSync('rsa', { modulusLength: 2048 }) })
const ec = (kid: string): Pair => ({ kid, alg: 'ES256', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) })

/** An issuer on loopback, whose keys and health a test changes. */
async function issuerOn(t: Test) {
  const state = { keys: [rsa('one')], broken: false, fetched: { description: 0, keys: 0 }, body: '' }
  const server = createServer(async (request, response) => {
    if (state.broken) {
      response.writeHead(500).end()
      return
    }
    const address = server.address()
    const base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    if (request.url === '/.well-known/openid-configuration') {
      state.fetched.description += 1
      response.end(JSON.stringify({ issuer: base, jwks_uri: `${base}/keys` }))
      return
    }
    state.fetched.keys += 1
    const keys = await Promise.all(
      state.keys.map(async ({ kid, alg, publicKey }) => ({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' })),
    )
    response.end(state.body || JSON.stringify({ keys }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  return { url, state }
}

type Claims = Readonly<Record<string, unknown>>

function sign(pair: Pair, issuer: string, claims: Claims = {}, header: Claims = {}): Promise<string> {
  const all = {
    iss: issuer,
    aud: 'imagegate',
    sub: 'alice',
    exp: seconds + 300,
    imagegate_tenant: 'payments',
    imagegate_roles: ['auditor', 'something else'],
    ...claims,
  }
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  return new SignJWT(given).setProtectedHeader({ alg: pair.alg, kid: pair.kid, ...header }).sign(pair.privateKey)
}

async function secured(t: Test, issuer: string, more: Partial<IssuerOptions> = {}) {
  const options: IssuerOptions = {
    issuer,
    audience: 'imagegate',
    algorithms: ['RS256', 'ES256'],
    tenantClaim: '/imagegate_tenant',
    rolesClaim: '/imagegate_roles',
    roleNames: {},
    cooldownMs: 200,
    pauseMs: 200,
    ...more,
  }
  const clock = () => now
  const authenticate = (store: Store) =>
    bearerAuthentication(new ApiKeyCallers(store, clock), tokenCallers(tokenVerifier(options, clock), clock))
  const { app, log, close } = await stage(t.testdir(), {}, undefined, authenticate)
  t.teardown(close)
  const get = (token: string, url = '/v1/verdicts') =>
    app.inject({ url, headers: { authorization: `Bearer ${token}` } })
  return { app, log, get }
}

t.test('a token of the issuer says tenant and roles, and names its subject in the record', async (t) => {
  const { url, state } = await issuerOn(t)
  const { app, get } = await secured(t, url)
  const [pair] = state.keys
  if (pair === undefined) throw new Error('no key')
  const auditor = await sign(pair, url)
  t.equal((await get(auditor)).statusCode, 200)
  t.equal((await get(auditor, '/metrics')).statusCode, 403)
  const admin = await sign(pair, url, { imagegate_roles: 'admin' })
  const headers = { ...json, authorization: `Bearer ${admin}` }
  const made = await app.inject({ method: 'POST', url: '/v1/evaluations', headers, body: facts('a') })
  t.match(made.json(), { tenant: 'payments', submittedBy: { caller: 'token:alice' } })
  const other = await sign(pair, url, { imagegate_tenant: 'default' })
  t.equal((await get(other, `/v1/verdicts/${made.json().id}`)).statusCode, 404)
  t.same(state.fetched, { description: 1, keys: 1 })
})

t.test('claims are found where the settings say, and their values mean what the settings say', async (t) => {
  const { url, state } = await issuerOn(t)
  const { get } = await secured(t, url, {
    tenantClaim: '/org/name',
    rolesClaim: '/realm_access/roles',
    roleNames: { 'gate-audit': 'auditor' },
  })
  const [pair] = state.keys
  if (pair === undefined) throw new Error('no key')
  const where = (roles: unknown, name: unknown = 'acme') => ({ org: { name }, realm_access: { roles } })
  t.equal((await get(await sign(pair, url, where(['gate-audit'])))).statusCode, 200)
  for (const claims of [
    where(['auditor']),
    where(['toString']),
    where([]),
    where(['gate-audit'], '*'),
    where(['gate-audit'], 7),
  ]) {
    t.equal(problem(await get(await sign(pair, url, claims))).code, 'FORBIDDEN', JSON.stringify(claims))
  }
})

t.test('every forged, foreign or ended token gets the same 401', async (t) => {
  const { url, state } = await issuerOn(t)
  const { get, log } = await secured(t, url)
  const [pair] = state.keys
  if (pair === undefined) throw new Error('no key')
  const spki = pair.publicKey.export({ type: 'spki', format: 'pem' })
  const good = await sign(pair, url)
  const [head = '', body = '', signature = ''] = good.split('.')
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const attacks: readonly (readonly [string, string])[] = [
    ['alg none', new UnsecuredJWT(claims).encode()],
    ['alg None with the signature', `${encode({ alg: 'None', kid: 'one' })}.${body}.${signature}`],
    [
      'HS256 with the public key as the secret',
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(Buffer.from(spki)),
    ],
    ['an algorithm that is not allowed', await sign({ ...pair, alg: 'RS512' }, url)],
    ['another key under the same kid', await sign(rsa('one'), url)],
    ['a key in its own header', await sign(rsa('x'), url, {}, { jwk: await exportJWK(rsa('x').publicKey) })],
    ['another issuer', await sign(pair, `${url}/`)],
    ['another audience', await sign(pair, url, { aud: 'billing' })],
    ['no audience', await sign(pair, url, { aud: undefined })],
    ['expired', await sign(pair, url, { exp: seconds - 6 })],
    ['without an end', await sign(pair, url, { exp: undefined })],
    ['not yet', await sign(pair, url, { nbf: seconds + 6 })],
    ['no subject', await sign(pair, url, { sub: undefined })],
    ['a subject with a line break', await sign(pair, url, { sub: 'a\nb' })],
    ['changed claims', `${head}.${encode({ ...claims, imagegate_roles: 'admin' })}.${signature}`],
    ['no signature', `${head}.${body}.`],
    [
      'a critical extension',
      await sign(pair, url, {}, { crit: ['x'], x: 1 }).catch(
        () => `${encode({ alg: 'RS256', crit: ['x'], x: 1 })}.${body}.${signature}`,
      ),
    ],
    ['a huge token', await sign(pair, url, { filler: 'x'.repeat(9000) })],
    ['no token', 'a.b.c'],
  ]
  const answers = new Set<string>()
  for (const [name, token] of attacks) {
    const answer = await get(token)
    t.equal(answer.statusCode, 401, name)
    answers.add(problem(answer).detail)
  }
  t.equal(answers.size, 1, 'nothing tells why')
  t.equal((await get(good)).statusCode, 200)
  t.equal((await get(await sign(pair, url, { exp: seconds - 4 }))).statusCode, 200, 'clocks may differ a little')
  for (const [, token] of attacks) if (token.length > 20) t.notMatch(JSON.stringify(log), token.slice(-20))
})

t.test('keys rotate without a restart, and tokens with unknown keys cause few fetches', async (t) => {
  const { url, state } = await issuerOn(t)
  const { get } = await secured(t, url)
  const [old] = state.keys
  if (old === undefined) throw new Error('no key')
  t.equal((await get(await sign(old, url))).statusCode, 200)
  const next = ec('two')
  state.keys = [next, old]
  await sleep(250)
  t.equal((await get(await sign(next, url))).statusCode, 200, 'a new key is fetched')
  t.equal(
    (await get(await sign(old, url, { jti: 'x' }))).statusCode,
    200,
    'the old one is good as long as it is published',
  )
  const before = state.fetched.keys
  const flood = await Promise.all(
    Array.from({ length: 60 }, (_, index) => sign({ ...next, kid: `unknown-${index}` }, url)),
  )
  const begun = performance.now()
  for (const token of flood) t.equal((await get(token)).statusCode, 401)
  const possible = 1 + Math.ceil((performance.now() - begun) / 200)
  t.ok(state.fetched.keys - before <= possible, `${state.fetched.keys - before} fetches, at most ${possible}`)
  state.keys = [next]
  await sleep(250)
  t.equal((await get(await sign({ ...next, kid: 'causes a fetch' }, url))).statusCode, 401)
  t.equal((await get(await sign(old, url, { jti: 'y' }))).statusCode, 401, 'a key that is gone is good for nothing')
})

t.test('an issuer that cannot be reached is told as such, asked rarely, and found again by itself', async (t) => {
  const { url, state } = await issuerOn(t)
  const { get, app } = await secured(t, url)
  const [pair] = state.keys
  if (pair === undefined) throw new Error('no key')
  state.broken = true
  const token = await sign(pair, url)
  const down = await get(token)
  t.match(problem(down), { status: 503, code: 'ISSUER_UNAVAILABLE' })
  t.equal(down.headers['retry-after'], '5')
  state.broken = false
  t.equal(problem(await get(token)).code, 'ISSUER_UNAVAILABLE', 'it is not asked again at once')
  t.same(state.fetched, { description: 0, keys: 0 })
  await sleep(250)
  for (const body of ['no JSON', '{"keys":7}', `{"keys":[${'{},'.repeat(400_000)}{}]}`]) {
    state.body = body
    t.equal(problem(await get(token)).code, 'ISSUER_UNAVAILABLE', body.slice(0, 20))
    await sleep(250)
  }
  state.body = ''
  t.equal((await get(token)).statusCode, 200)
  t.equal((await app.inject('/health/ready')).statusCode, 200)
})

t.test('a description of another issuer is not believed', async (t) => {
  const { url, state } = await issuerOn(t)
  const [pair] = state.keys
  if (pair === undefined) throw new Error('no key')
  const alias = url.replace('127.0.0.1', 'localhost')
  const { get } = await secured(t, alias)
  t.equal(problem(await get(await sign(pair, alias))).code, 'ISSUER_UNAVAILABLE')
  t.equal(state.fetched.keys, 0)
})
