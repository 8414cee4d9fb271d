import Database from 'better-sqlite3'
import type { LightMyRequestResponse } from 'fastify'
import { type Test, test } from 'tap'
import { makeKey } from '../../server/access/key.ts'
import type { Role } from '../../server/access/roles.ts'
import type { Store } from '../../server/audit/store.ts'
import { ApiKeyCallers } from '../../server/http/api-key-callers.ts'
import { bearerAuthentication } from '../../server/http/bearer.ts'
import { facts, json, problem, type Stage, stage } from './support.ts'

type Caller = { readonly name: string; readonly headers: Record<string, string> }

interface Scene extends Stage {
  caller(role: Role, tenant?: string): Promise<Caller>
  /** Posts a document and gives its verdict's id. */
  post(by: Caller, name: string): Promise<string>
  get(by: Caller, url: string): Promise<LightMyRequestResponse>
}

async function setScene(t: Test): Promise<Scene> {
  const authenticate = (store: Store) => bearerAuthentication(new ApiKeyCallers(store, () => new Date()))
  const staged = await stage(t.testdir(), {}, undefined, authenticate)
  t.teardown(staged.close)
  return {
    ...staged,
    async caller(role, tenant = 'mine') {
      const { id, text, digest } = makeKey()
      const key = { id, tenant, role, name: 'x', digest, createdAt: new Date().toISOString() }
      await staged.store.changeApiKeys({ kind: 'create', key })
      return { name: `key:${id}`, headers: { authorization: `Bearer ${text}` } }
    },
    async post(by, name) {
      const headers = { ...json, ...by.headers }
      const answer = await staged.app.inject({ method: 'POST', url: '/v1/evaluations', headers, body: facts(name) })
      return answer.json().id
    },
    get: (by, url) => staged.app.inject({ url, headers: by.headers }),
  }
}

interface Read {
  readonly id: string
  readonly at: string
  readonly requestId: string
  readonly caller: string
  readonly roles: readonly string[]
  readonly operation: string
  readonly verdict: string | null
  readonly request: { readonly path: object; readonly query: object }
  readonly status: number
  readonly answered: number | null
}

/** All reads of the caller's tenant, oldest first; asking for them is one more. */
async function readsOf({ get }: Scene, auditor: Caller, query = ''): Promise<readonly Read[]> {
  const answer = await get(auditor, `/v1/reads?limit=500${query}`)
  return answer.json().reads.reverse()
}

test('an auditor sees who has read what, by which request and how it was answered', async (t) => {
  const scene = await setScene(t)
  const { get } = scene
  const [admin, reader, auditor] = [
    await scene.caller('admin'),
    await scene.caller('reader'),
    await scene.caller('auditor'),
  ]
  const id = await scene.post(admin, 'web-01')
  await scene.post(admin, 'web-02')
  const absent = '01890000-0000-7000-8000-000000000000'
  const before = Date.now()
  const asked: readonly (readonly [Caller, string, Partial<Read>])[] = [
    [reader, `/v1/verdicts/${id}`, { operation: 'getVerdict', verdict: id, status: 200, answered: 1 }],
    [reader, `/v1/verdicts/${id}/facts`, { operation: 'getFacts', verdict: id, status: 200, answered: 1 }],
    [reader, `/v1/verdicts/${id}/evidence`, { operation: 'getEvidence', verdict: id, answered: 1 }],
    [reader, `/v1/verdicts/${id}/replay`, { operation: 'replayVerdict', verdict: id, answered: 1 }],
    [reader, `/v1/verdicts/${absent}`, { operation: 'getVerdict', verdict: absent, status: 404, answered: 0 }],
    [reader, '/v1/verdicts/nothing', { operation: 'getVerdict', verdict: null, status: 404, answered: 0 }],
    [
      auditor,
      '/v1/verdicts?text=web-&from=2026-01-01',
      {
        operation: 'listVerdicts',
        verdict: null,
        status: 200,
        answered: 2,
        request: { path: {}, query: { text: 'web-', from: '2026-01-01' } },
      },
    ],
    [auditor, '/v1/timeline?imageName=web-01', { operation: 'getTimeline', answered: 1 }],
    [
      auditor,
      '/v1/changes?after=1',
      { operation: 'listChanges', answered: 1, request: { path: {}, query: { after: '1' } } },
    ],
    [auditor, '/v1/checkpoints', { operation: 'listCheckpoints', answered: 0 }],
    [auditor, `/v1/verdicts/${id}/proof`, { operation: 'getProof', verdict: id, status: 409, answered: 0 }],
    [auditor, '/v1/reads?verdict=none', {}],
    [auditor, '/v1/reads', { operation: 'listReads', status: 200, answered: 11 }],
  ]
  const answers: string[] = []
  for (const [caller, url] of asked) answers.push(String((await get(caller, url)).headers['x-request-id']))
  const expected = asked.flatMap(([caller, , read], index) => {
    const [role] = caller === reader ? ['reader'] : ['auditor']
    return Object.keys(read).length === 0
      ? []
      : [{ caller: caller.name, roles: [role], requestId: answers[index], ...read }]
  })
  const found = await readsOf(scene, auditor)
  t.match(found, expected)
  t.equal(
    found.length,
    expected.length,
    'what is not valid is not read, and the last list is recorded after it was made',
  )
  for (const { at } of found) t.ok(Date.parse(at) >= before && Date.parse(at) <= Date.now(), at)
  t.same(found[0]?.request, { path: { id }, query: {} })
})

test('a read that cannot be recorded is refused, and nothing of the answer leaves', async (t) => {
  const scene = await setScene(t)
  const admin = await scene.caller('admin')
  const id = await scene.post(admin, 'kept to itself')
  const other = new Database(scene.file)
  t.teardown(() => other.close())
  const urls = [`/v1/verdicts/${id}`, `/v1/verdicts/${id}/facts`, '/v1/verdicts', '/v1/verdicts/none']
  const good = await scene.get(admin, `/v1/verdicts/${id}`)
  other.exec('ALTER TABLE audit_reads RENAME TO away')
  for (const url of urls) {
    const refused = await scene.get(admin, url)
    t.equal(refused.statusCode, 503, url)
    t.match(problem(refused), { code: 'STORE_UNAVAILABLE', detail: /only once it is recorded/ })
    t.match(refused.headers, { 'retry-after': '2', 'cache-control': 'no-store' })
    for (const name of ['etag', 'repr-digest', 'link']) t.notOk(name in refused.headers, `${url} keeps ${name} back`)
    t.notMatch(refused.body, 'kept to itself')
    t.equal(refused.headers['x-request-id'], problem(refused).instance.slice('urn:uuid:'.length))
  }
  const known = await scene.app.inject({ url: urls[0] ?? '', headers: { ...admin.headers, 'if-none-match': '*' } })
  t.equal(known.statusCode, 503, 'nor is it told that nothing has changed')
  const head = await scene.app.inject({ method: 'HEAD', url: urls[0] ?? '', headers: admin.headers })
  t.same([head.statusCode, head.body, head.headers['etag']], [503, '', undefined])
  t.equal((await scene.post(admin, 'another')).length, 36, 'verdicts are still recorded')
  for (const url of ['/health/ready', '/v1/policies', '/v1/schemas']) {
    t.equal((await scene.get(admin, url)).statusCode, 200, `${url} is no read of the audit trail`)
  }
  other.exec('ALTER TABLE away RENAME TO audit_reads')
  const again = await scene.get(admin, `/v1/verdicts/${id}`)
  t.same([again.statusCode, again.body, again.headers['etag']], [200, good.body, good.headers['etag']])
  t.same(
    (await readsOf(scene, admin)).map(({ operation }) => operation),
    ['getVerdict', 'getVerdict'],
    'what was refused is not told as read',
  )
})

test('what is turned away is no read; HEAD and what has not changed are', async (t) => {
  const scene = await setScene(t)
  const [admin, submitter] = [await scene.caller('admin'), await scene.caller('submitter')]
  const operator = await scene.caller('operator')
  const id = await scene.post(admin, 'one')
  const url = `/v1/verdicts/${id}`
  for (const [by, where, status] of [
    [submitter, url, 403],
    [{ name: '', headers: {} }, url, 401],
    [admin, '/v1/verdicts?limit=0', 400],
    [admin, '/health/ready', 200],
    [admin, '/v1/policies', 200],
    [operator, '/metrics', 200],
    [admin, '/metrics', 403],
  ] as const) {
    t.equal((await scene.get(by, where)).statusCode, status, where)
  }
  t.same(await readsOf(scene, admin), [])
  await scene.app.inject({ method: 'HEAD', url, headers: admin.headers })
  await scene.app.inject({ url, headers: { ...admin.headers, 'if-none-match': '*' } })
  t.match(await readsOf(scene, admin), [
    { operation: 'listReads', answered: 0 },
    { operation: 'getVerdict', verdict: id, status: 200 },
    { operation: 'getVerdict', verdict: id, status: 304, answered: 0 },
  ])
})

test('a tenant sees its own reads alone, filtered and page by page', async (t) => {
  const scene = await setScene(t)
  const [mine, yours] = [await scene.caller('auditor'), await scene.caller('auditor', 'yours')]
  const reader = await scene.caller('reader')
  const ids = ['1', '2'].map((last) => `01890000-0000-7000-8000-00000000000${last}`)
  for (let index = 0; index < 12; index += 1) await scene.get(reader, `/v1/verdicts/${ids[index % 2]}`)
  await scene.get(yours, '/v1/verdicts?text=theirs')
  t.match(await readsOf(scene, yours), [{ operation: 'listVerdicts', request: { query: { text: 'theirs' } } }])
  t.equal((await readsOf(scene, yours, `&caller=${reader.name}`)).length, 0)
  t.equal((await readsOf(scene, mine, `&caller=${reader.name}&verdict=${ids[1]}`)).length, 6)
  t.equal((await readsOf(scene, mine, `&caller=${reader.name}&operation=getFacts`)).length, 0)
  t.equal((await readsOf(scene, mine, '&operation=getVerdict&from=2026-01-01')).length, 12)
  t.equal((await readsOf(scene, mine, '&operation=getVerdict&to=2026-01-01')).length, 0)

  const seen: string[] = []
  for (let query = `caller=${reader.name}&limit=5`; query !== ''; ) {
    const { headers, ...answer } = await scene.get(mine, `/v1/reads?${query}`)
    const { reads, next } = answer.json()
    seen.push(...reads.map((read: Read) => read.id))
    // What is read meanwhile belongs to no later page.
    await scene.get(reader, `/v1/verdicts/${ids[0]}`)
    t.equal(headers['link'], next && `</v1/reads?limit=5&cursor=${next}>; rel="next"`)
    query = next === undefined ? '' : `limit=5&cursor=${next}`
  }
  t.equal(seen.length, 12)
  t.same(seen, seen.toSorted().reverse())
  const pages = (await readsOf(scene, mine, '&operation=listReads')).slice(-3)
  t.match(
    pages.map(({ request }) => request.query),
    [
      { caller: reader.name, limit: '5' },
      { limit: '5', cursor: { filter: { caller: reader.name } } },
      { limit: '5', cursor: { filter: { caller: reader.name } } },
    ],
    'of a later page it is known what it was filtered by',
  )
  const first = (await scene.get(mine, '/v1/reads?limit=1')).json()
  for (const query of [`cursor=${first.next}&caller=x`, 'cursor=e30.aaaaaaaaaaaaaaaaaaaaaa']) {
    t.equal(problem(await scene.get(mine, `/v1/reads?${query}`)).code, 'CURSOR_INVALID')
  }
  t.equal(problem(await scene.get(mine, '/v1/reads?from=yesterday')).code, 'OPTION_INVALID')
})

test('what was asked is kept in bounded length, whatever stands in the address', async (t) => {
  const scene = await setScene(t)
  const admin = await scene.caller('admin')
  const hostile = [
    'x'.repeat(8000),
    '\u{1f600}'.repeat(1200),
    'nul\0\u001a"\\',
    '__proto__',
    "'; DROP TABLE verdicts; --",
  ]
  for (const id of hostile) t.equal((await scene.get(admin, `/v1/verdicts/${encodeURIComponent(id)}`)).statusCode, 404)
  const paths = (await readsOf(scene, admin)).map(({ request, verdict }) => ({ ...request.path, verdict }))
  t.same(paths, [
    { id: `${'x'.repeat(1024)}…`, verdict: null },
    { id: `${'\u{1f600}'.repeat(512)}…`, verdict: null },
    ...hostile.slice(2).map((id) => ({ id, verdict: null })),
  ])
})
