import { createHash } from 'node:crypto'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { sha256 } from '../../server/digest.ts'
import { matches, problemsOf } from '../../server/schemas.ts'
import { example, facts, json, ndjson, problem, stage } from './support.ts'

t.test('one document', async (t) => {
  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  const body = example('linux/several-faults.json')
  const made = await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body })
  const location = String(made.headers.location)

  await t.test('is answered with its recorded verdict, and found again byte for byte', async (t) => {
    t.equal(made.statusCode, 201)
    t.match(location, /^\/v1\/verdicts\/[0-9a-f-]{36}$/)
    t.same(problemsOf('verdict', made.json()), [])
    t.equal(made.headers.etag, `"${sha256(made.body)}"`, 'the tag is the digest of the bytes')
    const digest = createHash('sha256').update(made.rawPayload).digest('base64')
    t.equal(made.headers['repr-digest'], `sha-256=:${digest}:`)
    const found = await app.inject(location)
    t.equal(found.body, made.body)
    t.equal(found.headers.etag, made.headers.etag)
    t.match(found.headers['cache-control'], /immutable/)
  })

  await t.test('is not sent again to whoever has it', async (t) => {
    const tag = String(made.headers.etag)
    for (const header of [tag, `"other", W/${tag}`, '*']) {
      const known = await app.inject({ url: location, headers: { 'if-none-match': header } })
      t.equal(known.statusCode, 304)
      t.equal(known.body, '')
      t.equal(known.headers.etag, tag)
    }
    const other = await app.inject({ url: location, headers: { 'if-none-match': '"other"' } })
    t.equal(other.statusCode, 200)
  })

  await t.test('has its facts, its evidence for all rules and its replay', async (t) => {
    const kept = await app.inject(`${location}/facts`)
    t.same(kept.json(), JSON.parse(body.toString()))
    t.equal(sha256(kept.body), made.json().documentDigest)
    const evidence = await app.inject(`${location}/evidence`)
    t.equal(evidence.json().findings.length, made.json().findings.length)
    t.ok(evidence.json().findings.every((finding: { evidence?: unknown[] }) => finding.evidence !== undefined))
    const replay = await app.inject(`${location}/replay`)
    t.match(replay.json(), { id: made.json().id, result: 'same' })
  })

  await t.test('answers HEAD like GET, without the body', async (t) => {
    const head = await app.inject({ method: 'HEAD', url: location })
    t.equal(head.statusCode, 200)
    t.equal(head.body, '')
    t.equal(head.headers.etag, made.headers.etag)
    t.equal(Number(head.headers['content-length']), made.rawPayload.length)
  })

  await t.test('is judged by the options in the query', async (t) => {
    const url = '/v1/evaluations?importAs=others-linux&systemDiskBytes=64424509440&asOf=2021-01-01'
    const answer = await app.inject({ method: 'POST', url, headers: json, body })
    t.equal(answer.statusCode, 201, answer.body.slice(0, 300))
    t.match(answer.json(), {
      asOf: '2021-01-01T00:00:00.000Z',
      options: { importAs: 'others-linux', systemDisk: { requested: true, sizeBytes: 64_424_509_440 } },
      policy: { family: 'nonstandard-linux', selectedBy: 'asOf' },
    })
    const pinned = await app.inject({ method: 'POST', url: '/v1/evaluations?policyVersion=1.0.0', headers: json, body })
    t.match(pinned.json().policy, { version: '1.0.0', selectedBy: 'pin' })
  })

  await t.test('leaves nothing behind in a dry run', async (t) => {
    const before = await app.inject('/v1/verdicts?limit=500')
    const dry = await app.inject({ method: 'POST', url: '/v1/evaluations?record=false', headers: json, body })
    t.equal(dry.statusCode, 200)
    t.ok(matches('verdict', dry.json()))
    t.notHas(dry.json(), { id: String })
    t.equal(dry.headers.location, undefined)
    const after = await app.inject('/v1/verdicts?limit=500')
    t.equal(after.json().verdicts.length, before.json().verdicts.length)
  })

  await t.test('under an Idempotency-Key is judged once', async (t) => {
    const headers = { ...json, 'idempotency-key': 'build-17' }
    const first = await app.inject({ method: 'POST', url: '/v1/evaluations', headers, body })
    t.equal(first.headers['idempotency-replayed'], undefined)
    const again = await app.inject({ method: 'POST', url: '/v1/evaluations', headers, body })
    t.equal(again.statusCode, 201)
    t.equal(again.headers['idempotency-replayed'], 'true')
    t.equal(again.body, first.body)
    t.equal(again.headers.location, first.headers.location)
    const other = await app.inject({ method: 'POST', url: '/v1/evaluations', headers, body: facts('other') })
    t.equal(problem(other).code, 'IDEMPOTENCY_KEY_REUSED')
    const option = { method: 'POST', url: '/v1/evaluations?asOf=2021-01-01', headers, body } as const
    t.equal(problem(await app.inject(option)).code, 'IDEMPOTENCY_KEY_REUSED')
    const refused = { ...json, 'idempotency-key': 'build-18' }
    const invalid = await app.inject({ method: 'POST', url: '/v1/evaluations', headers: refused, body: '{}' })
    t.equal(invalid.statusCode, 422)
    const corrected = await app.inject({ method: 'POST', url: '/v1/evaluations', headers: refused, body })
    t.equal(corrected.statusCode, 201, 'a refused request consumes no key')
  })
})

t.test('a batch', async (t) => {
  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  const send = async (body: string, query = '', headers = {}) => {
    const url = `/v1/evaluations/batch${query}`
    const answer = await app.inject({ method: 'POST', url, headers: { ...ndjson, ...headers }, body })
    t.equal(answer.statusCode, 200, answer.body)
    t.match(answer.headers['content-type'], /^application\/x-ndjson/)
    return answer.body
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  }

  await t.test('answers its lines in their order, and blank ones are counted and left out', async (t) => {
    const long = JSON.stringify({ filler: 'x'.repeat(1_048_576) })
    const lines = await send(['', facts('a'), ' \t', '{', long, '[1]', facts('b\u0301'), '', facts('c')].join('\r\n'))
    t.strictSame(
      lines.map(({ line, status, problem }) => [line, status, problem?.code]),
      [
        [2, 201, undefined],
        [4, 400, 'JSON_MALFORMED'],
        [5, 413, 'BODY_TOO_LARGE'],
        [6, 422, 'FACTS_INVALID'],
        [7, 201, undefined],
        [9, 201, undefined],
      ],
    )
    for (const { verdict } of lines.filter(({ status }) => status === 201)) {
      const found = await app.inject(`/v1/verdicts/${verdict.id}`)
      t.same(found.json(), verdict)
    }
  })

  await t.test('gives each line a key of its own', async (t) => {
    const body = `${facts('k1')}\n\n${facts('k3')}\n`
    const first = await send(body, '', { 'idempotency-key': 'night' })
    const again = await send(body, '', { 'idempotency-key': 'night' })
    t.same(
      again.map(({ verdict }) => verdict),
      first.map(({ verdict }) => verdict),
    )
    t.same(
      again.map(({ replayed }) => replayed),
      [true, true],
    )
    const single = { ...json, 'idempotency-key': 'night:3' }
    const answer = await app.inject({ method: 'POST', url: '/v1/evaluations', headers: single, body: facts('k3') })
    t.equal(answer.headers['idempotency-replayed'], 'true')
  })

  await t.test('runs dry, and may be empty', async (t) => {
    const [line] = await send(facts('dry'), '?record=false')
    t.match(line, { line: 1, status: 200, verdict: { schema: 'imagegate.verdict/1' } })
    t.notHas(line.verdict, { id: String })
    t.same(await send(''), [])
    t.same(await send('\n\n \n'), [])
  })

  await t.test('is refused as a whole for its options alone', async (t) => {
    const url = '/v1/evaluations/batch?asOf=yesterday'
    const answer = await app.inject({ method: 'POST', url, headers: ndjson, body: facts('a') })
    t.equal(problem(answer).code, 'OPTION_INVALID')
    const [line] = await send(facts('a'), '?asOf=1999-01-01')
    t.match(line, { status: 422, problem: { code: 'POLICY_NOT_IN_FORCE' } })
  })
})

t.test('a list of verdicts', async (t) => {
  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  const names = ['a', 'b', 'c', 'd', 'e']
  const ids: string[] = []
  const add = async (name: string) => {
    const answer = await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body: facts(name) })
    ids.unshift(answer.json().id)
  }
  for (const name of names) await add(name)
  const listed = async (url: string) => {
    const answer = await app.inject(url)
    t.equal(answer.statusCode, 200, answer.body)
    const page: { verdicts: { id: string; imageName: string }[]; next?: string } = answer.json()
    return { ...page, ids: page.verdicts.map(({ id }) => id), link: answer.headers.link }
  }

  await t.test('goes page by page through what was there at the first page', async (t) => {
    const seen: string[] = []
    const expected = [...ids]
    let page = await listed('/v1/verdicts?limit=2')
    seen.push(...page.ids)
    await add('later')
    while (page.link !== undefined) {
      t.ok(String(page.link).includes(String(page.next)))
      page = await listed(/<(.*)>; rel="next"/.exec(String(page.link))?.[1] ?? '')
      seen.push(...page.ids)
    }
    t.equal(page.next, undefined)
    t.same(seen, expected)
  })

  await t.test('is filtered, and its cursor keeps the filters', async (t) => {
    t.same(
      (await listed('/v1/verdicts?imageName=c')).verdicts.map(({ imageName }) => imageName),
      ['c'],
    )
    t.equal((await listed('/v1/verdicts?imageName=nobody')).verdicts.length, 0)
    t.equal((await listed('/v1/verdicts?outcome=undetermined&family=unidentified')).verdicts.length, ids.length)
    t.equal((await listed('/v1/verdicts?outcome=ready')).verdicts.length, 0)
    t.equal((await listed('/v1/verdicts?from=2020-01-01&to=2020-12-31T00:00:00Z')).verdicts.length, 0)
    t.equal((await listed('/v1/verdicts?from=2020-01-01')).verdicts.length, ids.length)
    const { next } = await listed('/v1/verdicts?limit=2&family=unidentified')
    t.equal((await listed(`/v1/verdicts?cursor=${next}&limit=500`)).verdicts.length, ids.length - 2)
    t.equal((await listed(`/v1/verdicts?cursor=${next}&limit=1&family=unidentified`)).verdicts.length, 1)
    const others = await app.inject(`/v1/verdicts?cursor=${next}&family=linux`)
    t.equal(problem(others).code, 'CURSOR_INVALID')
  })

  await t.test('takes no cursor but its own', async (t) => {
    const { next = '' } = await listed('/v1/verdicts?limit=2')
    const [text = '', sum = ''] = next.split('.')
    const forged = Buffer.from(text, 'base64url').toString().replace(/-7/, '-4')
    const cursors = [`A${next.slice(1)}`, next.slice(0, -1), `${text}=.${sum}`, `.${sum}`, 'x', '%00', next.repeat(99)]
    for (const cursor of [...cursors, `${Buffer.from(forged).toString('base64url')}.${sum}`]) {
      const answer = await app.inject(`/v1/verdicts?cursor=${cursor}`)
      t.equal(answer.statusCode, 400)
      t.equal(problem(answer).code, 'CURSOR_INVALID')
    }
  })
})

t.test('what the service rests on is told', async (t) => {
  const { app, policies, close } = await stage(t.testdir())
  t.teardown(close)

  await t.test('policies, with their files under their digests', async (t) => {
    const { families } = (await app.inject('/v1/policies')).json()
    const versions = families.flatMap((family: { versions: unknown[] }) => family.versions)
    t.equal(versions.length, policies.versions.length)
    for (const { family, version, digest, href } of versions) {
      const yaml = await app.inject({ url: href, headers: { accept: 'application/yaml' } })
      t.match(yaml.headers['content-type'], /^application\/yaml/)
      t.equal(sha256(yaml.rawPayload), digest)
      t.equal(yaml.headers.etag, `"${digest}"`)
      t.equal(yaml.headers['cache-control'], 'public, max-age=31536000, immutable')
      const known = await app.inject({
        url: href,
        headers: { accept: 'application/yaml', 'if-none-match': `"${digest}"` },
      })
      t.equal(known.statusCode, 304)
      const asJson = await app.inject(href)
      t.match(asJson.headers['content-type'], /^application\/json/)
      t.match(asJson.json(), { schema: 'imagegate.policy/1', family, version })
      t.not(asJson.headers.etag, yaml.headers.etag, 'two representations have two tags')
      t.equal((await app.inject(`/v1/policies/${family}`)).json().family, family)
    }
    const choosy = { url: '/v1/policies/linux/1.0.0', headers: { accept: 'application/yaml;q=0.5, application/json' } }
    t.match((await app.inject(choosy)).headers['content-type'], /^application\/json/)
    for (const url of ['/v1/policies/plan9', '/v1/policies/linux/9.9.9']) {
      t.equal(problem(await app.inject(url)).code, 'POLICY_NOT_FOUND')
    }
  })

  await t.test('schemas, as their files have them', async (t) => {
    const { schemas } = (await app.inject('/v1/schemas')).json()
    t.ok(schemas.length >= 4)
    for (const { kind, href } of schemas) {
      const answer = await app.inject(href)
      t.match(answer.headers['content-type'], /^application\/schema\+json/)
      t.equal(answer.json().$id, `urn:imagegate:schema:${kind}:1`)
    }
    t.equal(problem(await app.inject('/v1/schemas/nothing')).code, 'SCHEMA_NOT_FOUND')
  })

  await t.test('health and metrics', async (t) => {
    t.equal((await app.inject('/health/live')).statusCode, 200)
    t.equal((await app.inject('/health/ready')).statusCode, 200)
    await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body: facts('m') })
    await app.inject({ method: 'POST', url: '/v1/evaluations?record=false', headers: json, body: facts('m') })
    const { body } = await app.inject('/metrics')
    t.match(body, /imagegate_evaluations_total\{family="unidentified",outcome="undetermined",recorded="true"\} 1\n/)
    t.match(body, /imagegate_evaluations_total\{family="unidentified",outcome="undetermined",recorded="false"\} 1\n/)
    t.match(
      body,
      /imagegate_http_request_duration_seconds_count\{route="\/v1\/evaluations",method="POST",status="201"\} 1/,
    )
    t.match(body, /imagegate_store_records_in_flight 0\n/)
  })

  await t.test('every answer has the security headers', async (t) => {
    for (const url of ['/v1/verdicts', '/nowhere', '/health/live', '/docs/', '/openapi.json']) {
      const { headers } = await app.inject(url)
      t.match(headers['content-security-policy'], /default-src 'none'/)
      t.equal(headers['x-content-type-options'], 'nosniff')
      t.match(headers['x-request-id'], /^[0-9a-f-]{36}$/)
    }
  })
})

/** Every reference of a document, by the pointer that it names. */
function references(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) =>
    key === '$ref' && typeof value === 'string' ? [value] : references(value),
  )
}

t.test('the API description', async (t) => {
  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  const document = (await app.inject('/openapi.json')).json()

  await t.test('covers every route and resolves every reference', async (t) => {
    t.equal(document.openapi, '3.1.0')
    const paths = Object.keys(document.paths).filter((path) => path.startsWith('/v1/'))
    t.same(paths.sort(), [
      '/v1/changes',
      '/v1/checkpoints',
      '/v1/evaluations',
      '/v1/evaluations/batch',
      '/v1/policies',
      '/v1/policies/{family}',
      '/v1/policies/{family}/candidate',
      '/v1/policies/{family}/candidate/differences',
      '/v1/policies/{family}/{version}',
      '/v1/problems',
      '/v1/problems/{code}',
      '/v1/reads',
      '/v1/schemas',
      '/v1/schemas/{kind}',
      '/v1/statistics/days',
      '/v1/statistics/facts',
      '/v1/statistics/rules',
      '/v1/timeline',
      '/v1/verdicts',
      '/v1/verdicts/{id}',
      '/v1/verdicts/{id}/evidence',
      '/v1/verdicts/{id}/facts',
      '/v1/verdicts/{id}/proof',
      '/v1/verdicts/{id}/replay',
    ])
    const found = references(document)
    t.ok(found.length > 100)
    for (const reference of new Set(found)) {
      const steps = reference.split('/').slice(1)
      const target = steps.reduce((node, step) => node?.[step], document)
      t.type(target, 'object', reference)
    }
  })

  await t.test('accepts what the files in schemas/ accept, and nothing else', async (t) => {
    const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: false })
    ajv.addSchema({ $id: 'https://imagegate.invalid/openapi.json', components: document.components })
    const validate = (name: string) =>
      ajv.compile({ $ref: `https://imagegate.invalid/openapi.json#/components/schemas/${name}` })
    const isFacts = validate('FactDocument')
    for (const name of [
      'linux/ready.json',
      'windows-server/several-faults.json',
      'unidentified/unreadable-system.json',
    ]) {
      const one = JSON.parse(example(name).toString())
      t.ok(isFacts(one), name)
      t.notOk(isFacts({ ...one, os: { ...one.os, unheardOf: 1 } }), 'a nested member that no schema knows')
    }
    const body = example('linux/several-faults.json')
    const made = await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body })
    t.ok(validate('Verdict')(made.json()))
    t.ok(validate('VerdictPage')((await app.inject('/v1/verdicts')).json()))
    t.ok(validate('Replay')((await app.inject(`${made.headers.location}/replay`)).json()))
    t.ok(validate('Evidence')((await app.inject(`${made.headers.location}/evidence`)).json()))
    t.ok(validate('PolicyFamilies')((await app.inject('/v1/policies')).json()))
    t.ok(validate('Policy')((await app.inject('/v1/policies/linux/1.0.0')).json()))
    t.ok(validate('SchemaList')((await app.inject('/v1/schemas')).json()))
    t.ok(validate('ErrorList')((await app.inject('/v1/problems')).json()))
    t.ok(validate('Problem')((await app.inject('/nowhere')).json()))
  })

  await t.test('is browsable without anything from elsewhere', async (t) => {
    const page = await app.inject('/docs/')
    t.equal(page.statusCode, 200)
    const assets = [...page.body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, asset = '']) => asset)
    t.ok(assets.length >= 5)
    for (const asset of assets) {
      t.match(asset, /^\.\/static\/[\w.-]+$/, 'every asset stands beside the page')
      const answer = await app.inject(`/docs/${asset}`)
      t.equal(answer.statusCode, 200, asset)
      if (asset.endsWith('.css')) t.notMatch(answer.body, /url\(["']?(?:https?:)?\/\//, `${asset} imports nothing`)
    }
    const start = await app.inject('/docs/static/swagger-initializer.js')
    t.match(start.body, /validatorUrl: null/)
    t.notMatch(start.body, /["'](?:https?:)?\/\/[a-z]/)
    const policy = String(page.headers['content-security-policy'])
    t.notMatch(policy, /https?:|\*|validator|upgrade-insecure/, 'the browser is told to load from here alone')
    t.match(policy, /script-src 'self'/)
    t.notMatch(page.body.replaceAll(/<script src="[^"]*"[^>]*> <\/script>/g, ''), /<script/, 'no inline script')
    t.equal((await app.inject('/docs/json')).json().openapi, '3.1.0')
  })
})
