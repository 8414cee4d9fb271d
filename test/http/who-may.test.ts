import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { makeKey } from '../../server/access/key.ts'
import { type Role, roles } from '../../server/access/roles.ts'
import type { Store } from '../../server/audit/store.ts'
import { ApiKeyCallers } from '../../server/http/api-key-callers.ts'
import { bearerAuthentication } from '../../server/http/bearer.ts'
import { facts, json, ndjson, stage } from './support.ts'

/**
 * Every route and the status that each caller gets: without a credential; submitter, reader, auditor, operator and admin of
 * the tenant whose verdict `:id` is; and, of those that pass, one of another tenant.
 */
const table: Readonly<
  Record<string, readonly [none: number, ...five: [number, number, number, number, number], other: number]>
> = {
  'POST /v1/evaluations': [401, 201, 403, 403, 403, 201, 201],
  'POST /v1/evaluations/batch': [401, 200, 403, 403, 403, 200, 200],
  'GET /v1/verdicts': [401, 403, 200, 200, 403, 200, 200],
  'GET /v1/verdicts/:id': [401, 403, 200, 200, 403, 200, 404],
  'GET /v1/verdicts/:id/facts': [401, 403, 200, 200, 403, 200, 404],
  'GET /v1/verdicts/:id/evidence': [401, 403, 200, 200, 403, 200, 404],
  'GET /v1/verdicts/:id/replay': [401, 403, 200, 200, 403, 200, 404],
  // No checkpoint is signed here.
  'GET /v1/verdicts/:id/proof': [401, 403, 403, 409, 403, 409, 404],
  'GET /v1/checkpoints': [401, 403, 403, 200, 403, 200, 200],
  'GET /v1/changes': [401, 403, 403, 200, 403, 200, 200],
  'GET /v1/statistics/days': [401, 403, 403, 200, 403, 200, 200],
  'GET /v1/statistics/facts': [401, 403, 403, 200, 403, 200, 200],
  'GET /v1/statistics/rules': [401, 403, 403, 200, 403, 200, 200],
  'GET /v1/reads': [401, 403, 403, 200, 403, 200, 200],
  'GET /v1/timeline': [401, 403, 200, 200, 403, 200, 200],
  'GET /v1/policies': [401, 200, 200, 200, 200, 200, 200],
  'GET /v1/policies/:family': [401, 200, 200, 200, 200, 200, 200],
  'GET /v1/policies/:family/:version': [401, 200, 200, 200, 200, 200, 200],
  // No candidate is configured here.
  'GET /v1/policies/:family/candidate': [401, 403, 403, 404, 403, 404, 404],
  'GET /v1/policies/:family/candidate/differences': [401, 403, 403, 404, 403, 404, 404],
  // They are of all tenants together, and so no admin's.
  'GET /metrics': [401, 403, 403, 403, 200, 403, 200],
  'GET /v1/schemas': [200, 200, 200, 200, 200, 200, 200],
  'GET /v1/schemas/:kind': [200, 200, 200, 200, 200, 200, 200],
  'GET /v1/problems': [200, 200, 200, 200, 200, 200, 200],
  'GET /v1/problems/:code': [200, 200, 200, 200, 200, 200, 200],
  'GET /health/live': [200, 200, 200, 200, 200, 200, 200],
  'GET /health/ready': [200, 200, 200, 200, 200, 200, 200],
  'GET /openapi.json': [200, 200, 200, 200, 200, 200, 200],
  'GET /docs': [200, 200, 200, 200, 200, 200, 200],
  'GET /docs/': [200, 200, 200, 200, 200, 200, 200],
  'GET /docs/json': [200, 200, 200, 200, 200, 200, 200],
  'GET /docs/yaml': [200, 200, 200, 200, 200, 200, 200],
  'GET /docs/*': [200, 200, 200, 200, 200, 200, 200],
  'GET /docs/static/index.html': [302, 302, 302, 302, 302, 302, 302],
  'GET /docs/static/swagger-initializer.js': [200, 200, 200, 200, 200, 200, 200],
  'GET /nothing/here': [401, 404, 404, 404, 404, 404, 404],
  'DELETE /v1/verdicts/:id': [401, 405, 405, 405, 405, 405, 405],
}

/** Addresses of the table that no route has. */
const invented = ['GET /nothing/here', 'DELETE /v1/verdicts/:id']

/** Every route of the app, as METHOD /address; HEAD goes with GET. */
function routesOf(app: FastifyInstance): string[] {
  const path: string[] = []
  const found: string[] = []
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', part = '', methods] = /^([│ ]*)[├└]── (.*?)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? []
    if (part === '') continue
    path.length = indent.length / 4
    path.push(part)
    for (const method of methods?.split(', ') ?? []) if (method !== 'HEAD') found.push(`${method} ${path.join('')}`)
  }
  return found
}

type Caller = { readonly name: string; readonly role: string; readonly headers: Record<string, string> }

t.test('every route answers every role and tenant as the table says', async (t) => {
  const authenticate = (store: Store) => bearerAuthentication(new ApiKeyCallers(store, () => new Date()))
  const { app, store, close } = await stage(t.testdir(), {}, undefined, authenticate)
  t.teardown(close)
  async function caller(role: Role, tenant: string): Promise<Caller> {
    const { id, text, digest } = makeKey()
    const key = { id, tenant, role, name: 'x', digest, createdAt: new Date().toISOString() }
    await store.changeApiKeys({ kind: 'create', key })
    return { name: `key:${id}`, role: `${role} of ${tenant}`, headers: { authorization: `Bearer ${text}` } }
  }
  const own = await Promise.all(roles.map((role) => caller(role, 'mine')))
  const others = await Promise.all(roles.map((role) => caller(role, 'yours')))
  const admin = own[roles.indexOf('admin')]
  const made = await app.inject({
    method: 'POST',
    url: '/v1/evaluations',
    headers: { ...json, ...admin?.headers },
    body: facts('mine alone'),
  })
  const id: string = made.json().id
  const absent = id.replace(/.$/, (last) => (last === '0' ? '1' : '0'))

  function ask(route: string, headers: Record<string, string>, verdict = id) {
    const [method = 'GET', address = ''] = route.split(' ')
    const url = address
      .replace(':id', verdict)
      .replace(':family', 'linux')
      .replace(':version', '1.0.0')
      .replace(':kind', 'facts')
      .replace(':code', 'FORBIDDEN')
      .replace('*', 'static/swagger-ui.css')
      .replace(/timeline$/, 'timeline?imageName=mine%20alone')
    const content = address.endsWith('batch') ? ndjson : json
    const sent = method === 'POST' ? { body: facts('x'), headers: { ...content, ...headers } } : { headers }
    return app.inject({ method: method as 'GET' | 'POST' | 'DELETE', url, ...sent })
  }

  await t.test('no route is missing from it', async (t) => {
    t.same(
      routesOf(app).sort(),
      Object.keys(table)
        .filter((route) => !invented.includes(route))
        .sort(),
    )
  })
  for (const [route, [none, ...rest]] of Object.entries(table)) {
    const other = rest.pop()
    t.equal((await ask(route, {})).statusCode, none, `${route} without a credential`)
    for (const [index, expected] of rest.entries()) {
      const { role: name = '', headers = {} } = own[index] ?? {}
      const answer = await ask(route, headers)
      t.equal(answer.statusCode, expected, `${route} by ${name}`)
      if (route.startsWith('GET')) {
        const { statusCode } = await app.inject({ method: 'HEAD', url: answer.raw.req.url ?? '', headers })
        t.equal(statusCode, expected, `HEAD of ${route} by ${name}`)
      }
      const stranger = others[index]
      if (stranger === undefined) continue
      const passes = ![401, 403].includes(expected)
      const foreign = await ask(route, stranger.headers)
      t.equal(foreign.statusCode, passes ? other : expected, `${route} by ${stranger.role}`)
      t.notMatch(foreign.body, 'mine alone', 'nothing of another tenant is told')
      if (!route.includes('/v1/verdicts/:id')) continue
      const nowhere = await ask(route, stranger.headers, absent)
      const shown = ({ body }: { body: string }) => body.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '')
      t.equal(shown(foreign), shown(nowhere), 'what is not there and what is another’s look the same')
    }
  }
  await t.test('what a submitter may not and an auditor may is a read of the audit trail, and recorded', async (t) => {
    const { paths } = (await app.inject('/openapi.json')).json()
    const expected = Object.entries(table).flatMap(([route, [, submitter, , auditor]]) => {
      if (submitter !== 403 || auditor === 403) return []
      const [method = '', address = ''] = route.split(' ')
      return [String(paths[address.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()].operationId)]
    })
    t.ok(expected.length > 10)
    const { name = '' } = own[roles.indexOf('auditor')] ?? {}
    for (const operation of expected) {
      const { reads } = await store.reads('mine', { operation }, 500)
      t.ok(
        reads.some(({ caller }) => caller === name),
        operation,
      )
    }
  })
  const listed = await ask('GET /v1/verdicts', others[roles.indexOf('reader')]?.headers ?? {})
  t.notMatch(listed.body, id)
})

t.test('an idempotency key of one tenant means nothing to another', async (t) => {
  const authenticate = (store: Store) => bearerAuthentication(new ApiKeyCallers(store, () => new Date()))
  const { app, store, close } = await stage(t.testdir(), {}, undefined, authenticate)
  t.teardown(close)
  const ids: string[] = []
  for (const tenant of ['mine', 'yours']) {
    const { id, text, digest } = makeKey()
    const key = { id, tenant, role: 'submitter', name: 'x', digest, createdAt: new Date().toISOString() }
    await store.changeApiKeys({ kind: 'create', key })
    const headers = { ...json, authorization: `Bearer ${text}`, 'idempotency-key': 'same' }
    const answer = await app.inject({ method: 'POST', url: '/v1/evaluations', headers, body: facts('x') })
    t.equal(answer.headers['idempotency-replayed'], undefined)
    t.equal(answer.json().tenant, tenant)
    ids.push(answer.json().id)
  }
  t.equal(new Set(ids).size, 2)
})

t.test('the API description says which operations need a credential', async (t) => {
  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  const { paths, components } = (await app.inject('/openapi.json')).json()
  t.match(components.securitySchemes.bearer, { type: 'http', scheme: 'bearer' })
  for (const [route, [none]] of Object.entries(table)) {
    const [method = '', address = ''] = route.split(' ')
    const operation = paths[address.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
    if (operation !== undefined) t.same(operation.security, none === 401 ? [{ bearer: [] }] : [], route)
  }
})
