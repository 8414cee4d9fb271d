import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../../server/config.ts'
import { placeName } from '../../server/database.ts'
import { errorKinds, ImagegateError } from '../../server/errors.ts'
import { problemOf, publicError, traceOf } from '../../server/http/problems.ts'
import { settings } from '../../server/settings.ts'
import { example, facts, json, ndjson, problem, stage } from './support.ts'

const nested = `${'['.repeat(40)}${']'.repeat(40)}`
const wide = JSON.stringify({ schema: 'imagegate.facts/1', volumes: Array.from({ length: 5000 }, () => ({})) })
const hash = '$6$rounds=5000$saltsaltsalt$NZkRq6xVvTQ0r5b0L6h7m8w9'

t.test('whatever is wrong with a body has its code and never a 500', async (t) => {
  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  const cases: readonly (readonly [name: string, body: string | Buffer, code: keyof typeof errorKinds])[] = [
    ['nothing', '', 'JSON_MALFORMED'],
    ['half a document', '{"schema":', 'JSON_MALFORMED'],
    ['two documents', '{}{}', 'JSON_MALFORMED'],
    ['NaN', '{"a":NaN}', 'JSON_MALFORMED'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'TEXT_NOT_UNICODE'],
    ['a lone surrogate', '{"schema":"\\ud800"}', 'TEXT_NOT_UNICODE'],
    ['__proto__', '{"__proto__":{"polluted":true}}', 'NAME_FORBIDDEN'],
    ['constructor', '{"constructor":{"prototype":{"polluted":true}}}', 'NAME_FORBIDDEN'],
    ['a name that stands twice', '{"schema":"imagegate.facts/1","schema":"imagegate.facts/1"}', 'NAME_DUPLICATE'],
    ['deep nesting', nested, 'DOCUMENT_TOO_DEEP'],
    ['deeper nesting', '['.repeat(400_000), 'JSON_MALFORMED'],
    ['a huge list', wide, 'DOCUMENT_TOO_LONG'],
    ['a list', '[]', 'FACTS_INVALID'],
    ['null', 'null', 'FACTS_INVALID'],
    ['another major', '{"schema":"imagegate.facts/2"}', 'FACTS_INVALID'],
    ['1 MiB and one byte', ' '.repeat(1_048_577), 'BODY_TOO_LARGE'],
    ['a hash of a password', facts(hash), 'SECRET_REFUSED'],
  ]
  for (const [name, body, code] of cases) {
    const answer = await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body })
    t.equal(problem(answer).code, code, name)
    t.equal(answer.statusCode, errorKinds[code].status, name)
  }
  t.equal(Reflect.get({}, 'polluted'), undefined)
  const full = facts('x').padEnd(1_048_576)
  const largest = await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body: full })
  t.equal(largest.statusCode, 201, 'exactly 1 MiB is read')
})

t.test('a problem says what, where and how much, and never repeats what was sent', async (t) => {
  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  const many = {
    schema: 'imagegate.facts/1',
    image: { name: 7 },
    volumes: Array.from({ length: 150 }, () => ({ type: 1 })),
  }
  const answer = await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body: JSON.stringify(many) })
  const told = problem(answer)
  t.same(Object.keys(told).sort(), ['code', 'detail', 'instance', 'problems', 'status', 'title', 'total', 'type'])
  t.match(told, { type: '/v1/problems/FACTS_INVALID', status: 422, title: errorKinds.FACTS_INVALID.title })
  t.equal(told.instance, `urn:uuid:${answer.headers['x-request-id']}`)
  t.equal(told.problems?.length, 100)
  t.ok(Number(told.total) > 100)
  t.ok(told.problems?.some(({ pointer }) => pointer === '/image/name'))
  const explained = await app.inject(told.type)
  t.match(explained.json(), { code: told.code, mend: errorKinds.FACTS_INVALID.mend })

  const secret = await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body: facts(hash) })
  t.notMatch(secret.body, /saltsalt|NZkRq6/)
  const [line] = (
    await app.inject({ method: 'POST', url: '/v1/evaluations/batch', headers: ndjson, body: facts(hash) })
  ).body
    .trim()
    .split('\n')
  t.match(JSON.parse(String(line)), { line: 1, status: 422, problem: { code: 'SECRET_REFUSED' } })
  t.notMatch(line, /saltsalt|NZkRq6/)
})

t.test('an option that is unknown, repeated or not valid is named, without its value', async (t) => {
  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  const cases: readonly (readonly [query: string, name: string])[] = [
    ['/v1/verdicts?limti=5', 'limti'],
    ['/v1/verdicts?limit=5&limit=6', 'limit'],
    ['/v1/verdicts?limit=0', 'limit'],
    ['/v1/verdicts?limit=501', 'limit'],
    ['/v1/verdicts?limit=5e1', 'limit'],
    ['/v1/verdicts?from=2026-02-31', 'from'],
    ['/v1/verdicts?to=hunter2', 'to'],
    ['/v1/verdicts?outcome=hunter2', 'outcome'],
    ['/v1/verdicts?imageDigest=hunter2', 'imageDigest'],
    ['/v1/verdicts?missingFact=hunter2', 'missingFact'],
    ['/v1/verdicts?imageName=', 'imageName'],
    ['/v1/policies?hunter=hunter2', 'hunter'],
    ['/v1/policies?__proto__=hunter2', '(a name that is no word)'],
    ['/v1/policies?%3Cb%3E=hunter2', '(a name that is no word)'],
  ]
  for (const [url, name] of cases) {
    const answer = await app.inject(url)
    t.equal(answer.statusCode, 400, url)
    t.match(problem(answer), { code: 'OPTION_INVALID', problems: [{ pointer: `/${name}` }] }, url)
    t.notMatch(answer.body, /hunter2/)
  }
  const posts = ['importAs=plan9', 'systemDiskBytes=40GB', 'record=no', 'asOf=2026-13-01', 'asOf=hunter2', 'x=hunter2']
  for (const query of [...posts, 'record=true&record=false', 'policyVersion=1', 'asOf=2021-01-01&asOf=2021-01-01']) {
    const url = `/v1/evaluations?${query}`
    const answer = await app.inject({ method: 'POST', url, headers: json, body: facts('x') })
    t.equal(problem(answer).code, 'OPTION_INVALID', query)
    t.notMatch(answer.body, /hunter2/)
  }
  const post = async (query: string, headers = {}, body: string | Buffer = facts('x')) =>
    problem(
      await app.inject({ method: 'POST', url: `/v1/evaluations${query}`, headers: { ...json, ...headers }, body }),
    )
  t.equal((await post('?asOf=2021-01-01&policyVersion=1.0.0')).code, 'AS_OF_WITH_PIN')
  t.equal((await post('?asOf=1999-01-01')).code, 'POLICY_NOT_IN_FORCE')
  t.equal((await post('?policyVersion=9.9.9')).code, 'POLICY_VERSION_UNKNOWN')
  const windows = example('windows-server/ready.json')
  t.equal((await post('?importAs=others-linux', {}, windows)).code, 'IMPORT_AS_CONFLICT')
  for (const key of ['', 'two words', 'a\u00e9', 'x'.repeat(256)]) {
    t.equal((await post('', { 'idempotency-key': key })).code, 'IDEMPOTENCY_KEY_INVALID', key.slice(0, 9))
  }
})

t.test('addresses, methods and media types that there are not', async (t) => {
  const { app, close } = await stage(t.testdir())
  t.teardown(close)
  const strange = { 'content-type': 'text/strange' }
  for (const url of ['/', '/v1', '/v2/verdicts', '/V1/verdicts', '/v1//verdicts', '/docs/static/none.js']) {
    for (const method of ['GET', 'POST', 'DELETE'] as const) {
      const answer = await app.inject({ method, url, headers: method === 'GET' ? {} : strange, body: 'x' })
      if (method === 'GET' || !url.startsWith('/docs'))
        t.equal(problem(answer).code, 'ROUTE_NOT_FOUND', `${method} ${url}`)
    }
  }
  for (const id of [
    '',
    'x',
    `${'0'.repeat(8)}-0000-7000-8000-${'0'.repeat(12)}`,
    "'%20or%201=1--",
    '%00',
    'x'.repeat(5000),
  ]) {
    for (const part of ['', '/facts', '/evidence', '/replay']) {
      t.equal(problem(await app.inject(`/v1/verdicts/${id}${part}`)).code, 'VERDICT_NOT_FOUND')
    }
  }
  t.equal(problem(await app.inject('/v1/verdicts/%zz')).code, 'REQUEST_MALFORMED')
  const wrong: readonly (readonly ['GET' | 'PUT' | 'DELETE' | 'OPTIONS' | 'POST', string, string])[] = [
    ['GET', '/v1/evaluations', 'POST'],
    ['PUT', '/v1/evaluations/batch', 'POST'],
    ['DELETE', '/v1/verdicts/x', 'GET, HEAD'],
    ['OPTIONS', '/v1/verdicts', 'GET, HEAD'],
    ['POST', '/v1/policies/linux/1.0.0', 'GET, HEAD'],
    ['POST', '/health/ready', 'GET, HEAD'],
  ]
  for (const [method, url, allow] of wrong) {
    const answer = await app.inject({ method, url, headers: strange, body: 'x' })
    t.equal(problem(answer).code, 'METHOD_NOT_ALLOWED', `${method} ${url}`)
    t.equal(answer.headers.allow, allow)
  }
  const types = [
    ['/v1/evaluations', 'application/x-ndjson'],
    ['/v1/evaluations', 'text/plain'],
    ['/v1/evaluations', 'application/jsonp'],
    ['/v1/evaluations', '/'],
    ['/v1/evaluations/batch', 'application/json'],
  ] as const
  for (const [url, type] of types) {
    const answer = await app.inject({ method: 'POST', url, headers: { 'content-type': type }, body: facts('x') })
    t.equal(problem(answer).code, 'MEDIA_TYPE_UNSUPPORTED', `${type} to ${url}`)
  }
  for (const url of ['/v1/evaluations', '/v1/evaluations/batch']) {
    const headers = { 'content-type': url.endsWith('batch') ? ndjson['content-type'] : json['content-type'] }
    const packed = { method: 'POST', url, headers: { ...headers, 'content-encoding': 'gzip' }, body: 'x' } as const
    t.equal(problem(await app.inject(packed)).code, 'MEDIA_TYPE_UNSUPPORTED', 'what unpacks without bound')
  }
})

t.test('an error that nobody foresaw is told as INTERNAL, and the log says only where it arose', async (t) => {
  const shown = publicError(new TypeError('the disk of hunter2'))
  t.match(problemOf(shown, 'id'), { status: 500, code: 'INTERNAL' })
  t.notMatch(JSON.stringify(problemOf(shown, 'id')), /hunter2/)
  const trace = traceOf(new TypeError('the disk of hunter2', { cause: new Error('hunter2\n    at hunter2') }))
  t.match(trace, { name: 'TypeError', cause: { name: 'Error' } })
  t.ok(trace.at.length > 0)
  t.notMatch(JSON.stringify(traceOf(new TypeError('the disk of hunter2'))), /hunter2/)
  t.equal(publicError(new ImagegateError('POLICY_CHANGED', 'in /a/file')).code, 'INTERNAL')
})

t.test('the log has one line a request, with ids and counts, and nothing that was sent', async (t) => {
  const { app, log, close } = await stage(t.testdir())
  t.teardown(close)
  // What the start said is another matter.
  log.length = 0
  const markers = /m4rker|saltsalt/
  const made = await app.inject({
    method: 'POST',
    url: '/v1/evaluations?asOf=2021-01-01',
    headers: { ...json, 'idempotency-key': 'm4rker-key', 'user-agent': 'm4rker-agent', authorization: 'Bearer m4rker' },
    body: facts('m4rker-image'),
  })
  const url = '/v1/evaluations/batch'
  await app.inject({ method: 'POST', url, headers: ndjson, body: `${facts('m4rker')}\n{"m4rker\n${facts(hash)}` })
  await app.inject('/v1/verdicts?imageName=m4rker-image')
  await app.inject('/v1/verdicts?m4rker=m4rker')
  await app.inject('/v1/verdicts/m4rker')
  await app.inject('/m4rker?m4rker')
  await app.inject('/v1/%zzm4rker')
  await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body: '{"m4rker":"m4rker"}' })
  await app.inject({ method: 'POST', url: '/v1/evaluations', headers: { 'content-type': 'm4rker/m4rker' }, body: 'x' })
  await app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body: facts(hash) })
  t.equal(log.length, 10)
  t.notMatch(JSON.stringify(log), markers)
  for (const line of log) {
    t.match(line, { requestId: /^[0-9a-f-]{36}$/, method: /^(GET|POST)$/, status: Number, time: Number })
    t.notHas(line, { aborted: true })
  }
  t.match(log[0], { route: '/v1/evaluations', status: 201, verdict: made.json().id, durationMs: Number })
  t.match(log[1], { route: url, status: 200, count: 3, statuses: { 201: 1, 400: 1, 422: 1 }, firstVerdict: String })
  t.match(log[2], { route: '/v1/verdicts', count: 1 })
  t.match(log[3], { status: 400, code: 'OPTION_INVALID' })
  t.match(log[4], { route: '/v1/verdicts/:id', status: 404, code: 'VERDICT_NOT_FOUND' })
  t.match(log[5], { route: null, status: 404 })
  t.equal(log[0]?.['requestId'], made.headers['x-request-id'])
})

t.test('a process that is too busy turns work away, and still tells its health', async (t) => {
  const { app, close } = await stage(t.testdir(), { maxDelayMs: 1 })
  t.teardown(close)
  const busy = async () => {
    const until = performance.now() + 1500
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 10))
    return app.inject({ method: 'POST', url: '/v1/evaluations', headers: json, body: facts('x') })
  }
  let answer = await busy()
  // The delay is measured by timers of its own, which may come behind the request.
  for (let round = 0; answer.statusCode === 201 && round < 5; round += 1) answer = await busy()
  t.equal(answer.statusCode, 503)
  t.equal(problem(answer).code, 'OVERLOADED')
  t.match(answer.headers['retry-after'], /^\d+$/)
  t.equal((await app.inject('/health/live')).statusCode, 200)
  t.equal((await app.inject('/health/ready')).statusCode, 200)
})

t.test('docs/errors.md is the table of the errors', async (t) => {
  const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => /^\| [A-Z_]+ \|/.test(line))
  const expected = Object.entries(errorKinds).map(
    ([code, { status, title, mend }]) => `| ${code} | ${status} | ${title} | ${mend} |`,
  )
  t.same(rows, expected)
})

t.test('the configuration', async (t) => {
  const failed = (environment: Record<string, string>): ImagegateError => {
    try {
      readConfig(environment)
    } catch (error) {
      if (error instanceof ImagegateError) return error
    }
    throw new Error('was accepted')
  }

  await t.test('has safe defaults and is frozen', async (t) => {
    const config = readConfig({ IMAGEGATE_PORT: '' })
    t.match(config, { host: '127.0.0.1', port: 8080, logLevel: 'info', batchWindow: 64 })
    t.match(config.database, { kind: 'sqlite', file: /[/\\]data[/\\]imagegate\.db$/ })
    t.match(config.policies, /[/\\]policies$/)
    t.ok(Object.isFrozen(config))
    t.equal(new Set(settings.map(({ name }) => name)).size, settings.length)
  })

  await t.test('takes a database as a file: URL, a path or a postgres: URL, and nothing else', async (t) => {
    for (const url of ['file:///srv/a%20b.db', 'file:/srv/a b.db', '/srv/a b.db']) {
      t.same(readConfig({ IMAGEGATE_DATABASE_URL: url }).database, { kind: 'sqlite', file: '/srv/a b.db' })
    }
    const url = 'postgres://u:hunter2@db:5433/x?sslmode=verify-full&password=hunter2'
    const { database } = readConfig({
      IMAGEGATE_DATABASE_URL: url,
      IMAGEGATE_READ_DATABASE_URL: 'postgresql://replica/x',
    })
    t.same(database, { kind: 'postgres', url, readUrl: 'postgresql://replica/x' })
    t.equal(placeName(database), 'postgres://db:5433/x', 'shown without role, password and options')
    for (const readUrl of ['/srv/a.db', 'https://u:hunter2@db/x']) {
      const error = failed({ IMAGEGATE_DATABASE_URL: url, IMAGEGATE_READ_DATABASE_URL: readUrl })
      t.match(error, { code: 'CONFIG_INVALID', problems: [{ pointer: '/IMAGEGATE_READ_DATABASE_URL' }] })
      t.notMatch(error.message, /hunter2/)
    }
    t.throws(
      () => readConfig({ IMAGEGATE_READ_DATABASE_URL: url }),
      { code: 'CONFIG_INVALID' },
      'SQLite has no replica',
    )
    const passwordFile = join(t.testdir({ password: 'p@ss/w0rd %\n', empty: '\n' }), 'password')
    const filled = readConfig({
      IMAGEGATE_DATABASE_URL: 'postgres://u@db/x',
      IMAGEGATE_READ_DATABASE_URL: 'postgres://u:own@replica/x',
      IMAGEGATE_DATABASE_PASSWORD_FILE: passwordFile,
    }).database
    t.same(filled.kind === 'postgres' && decodeURIComponent(new URL(filled.url).password), 'p@ss/w0rd %')
    t.match(filled, { readUrl: 'postgres://u:own@replica/x' }, 'a password that stands in a URL stays')
    for (const [url, file] of [
      ['postgres://u@db/x', join(t.testdirName, 'none')],
      ['postgres://u@db/x', join(t.testdirName, 'empty')],
      ['/srv/a.db', passwordFile],
    ] as const) {
      const error = failed({ IMAGEGATE_DATABASE_URL: url, IMAGEGATE_DATABASE_PASSWORD_FILE: file })
      t.match(error, { code: 'CONFIG_INVALID', problems: [{ pointer: '/IMAGEGATE_DATABASE_PASSWORD_FILE' }] })
      t.notMatch(error.message, /w0rd/)
    }
    for (const url of [
      'mysql://u:hunter2@db/x',
      'postgres://u:hunter2%zz@db/x',
      'postgres:hunter2',
      ':memory:',
      'file:',
      'file:x?mode=ro',
      'file://host/x',
    ]) {
      const error = failed({ IMAGEGATE_DATABASE_URL: url })
      t.match(error, { code: 'CONFIG_INVALID', problems: [{ pointer: '/IMAGEGATE_DATABASE_URL' }] })
      t.notMatch(error.message, /hunter2/)
    }
  })

  await t.test('listens beyond loopback only when told twice', async (t) => {
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost'])
      t.equal(readConfig({ IMAGEGATE_HOST: host }).host, host)
    for (const host of ['0.0.0.0', '::', '192.0.2.1', '127.0.0.1.example.com', 'example.com']) {
      t.match(failed({ IMAGEGATE_HOST: host }).message, /IMAGEGATE_AUTHENTICATION=required.*keys create/)
      t.equal(readConfig({ IMAGEGATE_HOST: host, IMAGEGATE_AUTHENTICATION: 'required' }).host, host)
    }
  })

  await t.test('believes load balancers by address or network, and only with authentication', async (t) => {
    const required = { IMAGEGATE_AUTHENTICATION: 'required' }
    const proxies = (text: string) => ({ ...required, IMAGEGATE_TRUSTED_PROXIES: text })
    t.same(readConfig(proxies('10.0.0.0/8 ::1')).trustedProxies, ['10.0.0.0/8', '::1'])
    t.same(readConfig(required).trustedProxies, [])
    for (const text of ['10.0.0.0/33', '10.0.0.0/0', '2001:db8::/129', '300.0.0.1', '1.2.3', '::1,::2'])
      t.match(failed(proxies(text)).problems, [{ pointer: '/IMAGEGATE_TRUSTED_PROXIES' }], text)
    t.match(failed({ IMAGEGATE_TRUSTED_PROXIES: '::1' }).message, /needs IMAGEGATE_AUTHENTICATION=required/)
  })

  await t.test('reports everything that is wrong at once', async (t) => {
    const error = failed({
      IMAGEGATE_PORT: 'tcp://10.0.0.1:80',
      IMAGEGATE_LOG_LEVEL: 'loud',
      IMAGEGATE_BATCH_WINDOW: '0',
    })
    t.same(
      error.problems.map(({ pointer }) => pointer),
      ['/IMAGEGATE_PORT', '/IMAGEGATE_LOG_LEVEL', '/IMAGEGATE_BATCH_WINDOW'],
    )
    t.notMatch(error.message, /10\.0\.0\.1|loud/)
  })
})

t.test('on loopback a request under a foreign name is refused, as a web page would send it', async (t) => {
  const { app, close } = await stage(t.testdir(), { loopbackOnly: true })
  t.teardown(close)
  const ask = (host: string) => app.inject({ method: 'GET', url: '/v1/verdicts', headers: { host } })
  for (const host of [
    'evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    'localhost.evil.example:80',
    '10.0.0.1',
  ]) {
    const answer = await ask(host)
    t.equal(answer.statusCode, 421, host)
    t.equal(problem(answer).code, 'HOST_REFUSED')
  }
  for (const host of ['localhost', 'LOCALHOST:8080', '127.0.0.1:8080', '127.9.9.9', '[::1]:8080']) {
    t.equal((await ask(host)).statusCode, 200, host)
  }
})
