import t, { type Test } from 'tap'
import { makeKey } from '../../server/access/key.ts'
import type { Store } from '../../server/audit/store.ts'
import { ApiKeyCallers } from '../../server/http/api-key-callers.ts'
import { bearerAuthentication } from '../../server/http/bearer.ts'
import { problem, stage } from './support.ts'

async function secured(t: Test, trustedProxies: readonly string[] = []) {
  const authenticate = (store: Store) => bearerAuthentication(new ApiKeyCallers(store, () => new Date()))
  const staged = await stage(
    t.testdir(),
    { requestsPerMinute: 5, failuresPerMinute: 3, trustedProxies },
    undefined,
    authenticate,
  )
  t.teardown(staged.close)
  return staged
}

async function key({ changeApiKeys }: Store, tenant: string): Promise<string> {
  const { id, text, digest } = makeKey()
  const createdAt = new Date().toISOString()
  await changeApiKeys({ kind: 'create', key: { id, tenant, role: 'reader', name: 'x', digest, createdAt } })
  return text
}

t.test('each caller has its own limit, is told what is left, and when to come back', async (t) => {
  const { app, store } = await secured(t)
  const [one, other] = [await key(store, 'default'), await key(store, 'default')]
  const get = (text: string, url = '/v1/verdicts') => app.inject({ url, headers: { authorization: `Bearer ${text}` } })
  for (const left of ['4', '3']) {
    const answer = await get(one)
    t.equal(answer.statusCode, 200)
    t.equal(answer.headers['ratelimit-limit'], '5')
    t.equal(answer.headers['ratelimit-remaining'], left)
    t.match(answer.headers['ratelimit-reset'], /^([1-9]|[1-5]\d|60)$/)
  }
  t.equal((await get(one, '/metrics')).statusCode, 403, 'what is refused counts')
  t.equal((await get(one, '/nothing')).statusCode, 404, 'what is not there counts')
  t.equal((await get(one)).headers['ratelimit-remaining'], '0')
  const refused = await get(one)
  t.match(problem(refused), { status: 429, code: 'RATE_LIMITED' })
  t.match(refused.headers['retry-after'], /^([1-9]|[1-5]\d|60)$/)
  t.equal(refused.headers['ratelimit-remaining'], '0')
  t.equal((await get(other)).statusCode, 200, 'another key of the same tenant has its own')
  t.equal((await app.inject('/health/ready')).headers['ratelimit-limit'], undefined, 'public addresses have none')
})

t.test('who keeps failing from an address is turned away, and a good key from there is answered', async (t) => {
  const { app, store } = await secured(t)
  const good = await key(store, 'default')
  const get = (text: string, remoteAddress = '192.0.2.1') =>
    app.inject({ url: '/v1/verdicts', remoteAddress, headers: { authorization: `Bearer ${text}` } })
  for (const status of [401, 401, 401, 429, 429]) t.equal((await get('wrong')).statusCode, status)
  const refused = await get('wrong')
  t.match(refused.headers['retry-after'], /^\d+$/)
  t.equal((await get('wrong', '192.0.2.2')).statusCode, 401)
  t.equal((await get(good)).statusCode, 200)
  for (const status of [401, 401, 401, 429]) {
    t.equal((await get('wrong', `2001:db8::${status}`)).statusCode, status, 'addresses of one /64 count together')
  }
})

t.test('behind a trusted balancer the address that it names counts, and nobody else is believed', async (t) => {
  const failing = (app: Awaited<ReturnType<typeof secured>>['app'], forwarded: string, remoteAddress: string) =>
    app.inject({
      url: '/v1/verdicts',
      remoteAddress,
      headers: { authorization: 'Bearer x', 'x-forwarded-for': forwarded },
    })
  const { app } = await secured(t, ['10.1.0.0/16', '2001:db8::7'])
  for (const [index, status] of [401, 401, 401, 429].entries()) {
    t.equal((await failing(app, `198.51.100.${index}, 192.0.2.1, 10.1.2.3`, '10.1.0.9')).statusCode, status)
  }
  t.equal((await failing(app, '192.0.2.2', '2001:db8::7')).statusCode, 401, 'another address has its own limit')
  for (const [index, status] of [401, 401, 401, 429].entries()) {
    t.equal((await failing(app, `192.0.2.${10 + index}`, '10.2.0.1')).statusCode, status, 'a stranger names anything')
  }
  const plain = (await secured(t)).app
  for (const [index, status] of [401, 401, 401, 429].entries()) {
    t.equal((await failing(plain, `192.0.2.${10 + index}`, '10.1.0.9')).statusCode, status)
  }
})
