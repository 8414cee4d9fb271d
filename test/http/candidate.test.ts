import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { defaultTenant } from '../../server/audit/store.ts'
import type { Policy } from '../../server/documents/policy.ts'
import { judge } from '../../server/evaluation/judge.ts'
import { shadowOf } from '../../server/evaluation/shadow.ts'
import { parseFacts } from '../../server/facts/parse.ts'
import { readPolicyText, shippedPolicies } from '../../server/policy/load.ts'
import type { ReleasedPolicy } from '../../server/policy/set.ts'
import { example, json, policies, problem, type Stage, stage } from './support.ts'

const set = await policies()
const ready = example('linux/ready.json')
const faulty = example('linux/several-faults.json')
const verdictOf = (document: Buffer) => judge(set, parseFacts(document), {}, new Date()).verdict

/** A candidate made of the shipped policy for Linux. */
function candidateOf(change: (policy: Policy) => void): ReleasedPolicy {
  const policy: Policy = parse(readFileSync(join(shippedPolicies, 'linux/1.0.0.yaml'), 'utf8'))
  policy.version = '2.0.0'
  change(policy)
  const read = readPolicyText(stringify(policy), 'candidate.yaml')
  if (read.policy === undefined) throw new Error(JSON.stringify(read.problems))
  return read.policy
}

const failing = verdictOf(faulty).findings.filter(({ result, effect }) => result === 'fail' && effect === 'block')
const [softened, removed] = failing.map(({ rule }) => rule)
const strict = 'linux.candidate.stricter'
const candidate = candidateOf((policy) => {
  const [first] = policy.rules.filter(({ id }) =>
    verdictOf(ready).findings.some((f) => f.rule === id && f.result === 'pass'),
  )
  if (first === undefined || removed === undefined) throw new Error('nothing to change')
  policy.rules = policy.rules
    .filter(({ id }) => id !== removed)
    .map((rule) => (rule.id === softened ? { ...rule, effect: { ...rule.effect, fail: 'warn' } } : rule))
  policy.rules.push({ ...first, id: strict, conditions: { not: first.conditions } })
})

const post = ({ app }: Stage, document: Buffer, query = '', headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url: `/v1/evaluations${query}`, headers: { ...json, ...headers }, body: document })
const get = async ({ app }: Stage, url: string) => {
  const answer = await app.inject(url)
  if (answer.statusCode !== 200) throw new Error(`${url}: ${answer.statusCode} ${answer.body}`)
  return answer.json()
}
const base = '/v1/policies/linux/candidate'

t.test('a candidate is told apart rule by rule: another effect, another result, gone and new', async (t) => {
  const facts = parseFacts(faulty)
  const verdict = verdictOf(faulty)
  const shadow = shadowOf(candidate, facts, verdict)
  const told = new Map(shadow?.differences.map(({ rule, from, to }) => [rule, [from, to]]))
  t.same(told.get(softened ?? ''), [
    { effect: 'block', result: 'fail' },
    { effect: 'warn', result: 'fail' },
  ])
  t.same(told.get(removed ?? ''), [{ effect: 'block', result: 'fail' }, 'absent'])
  t.equal(told.get(strict)?.[0], 'absent')
  t.equal(told.size, 3, 'and nothing else differs')
  t.equal(shadowOf(candidate, facts, { ...verdict, policy: { ...verdict.policy, selectedBy: 'pin' } }), undefined)
  t.equal(shadowOf(candidate, facts, { ...verdict, policy: { ...verdict.policy, selectedBy: 'asOf' } }), undefined)
  t.same(
    shadowOf({ ...candidate, policy: set.versions[0]?.policy ?? candidate.policy }, facts, verdict)?.differences,
    [],
  )
})

t.test('it changes no answer and no list, and its differences are counted and found', async (t) => {
  const given = await stage(t.testdir({}), {}, candidate)
  t.teardown(given.close)
  const ids: string[] = []
  for (const document of [ready, faulty, ready, faulty, ready, example('windows-server/ready.json')]) {
    const answer = await post(given, document)
    t.equal(answer.statusCode, 201)
    const { id, tenant: _tenant, recordedAt: _at, asOf: _asOf, submittedBy: _by, ...rest } = answer.json()
    const { asOf: _now, ...alone } = verdictOf(document)
    t.same(rest, alone, 'as without a candidate')
    if (rest.policy.family === 'linux') ids.unshift(id)
  }
  await post(given, ready, '?record=false')
  await post(given, ready, '?policyVersion=1.0.0')
  await post(given, ready, '?asOf=2024-01-01')
  const keyed = await post(given, ready, '', { 'idempotency-key': 'once' })
  ids.unshift(keyed.json().id)
  t.equal((await post(given, ready, '', { 'idempotency-key': 'once' })).headers['idempotency-replayed'], 'true')

  const summary = await get(given, base)
  t.match(summary, { family: 'linux', version: '2.0.0', digest: candidate.digest, evaluations: 6, changed: 4 })
  t.same(
    summary.outcomes.map(({ from, to, evaluations }: Record<string, unknown>) => [from, to, evaluations]),
    [
      ['not_ready', 'not_ready', 2],
      ['ready', 'not_ready', 4],
    ],
  )
  t.match(
    summary.rules.find(({ rule, from }: { rule: string; from: string }) => rule === removed && from === 'fail'),
    { to: 'absent', evaluations: 2 },
  )

  const found: string[] = []
  let url: string | undefined = `${base}/differences?limit=4`
  let pages = 0
  while (url !== undefined) {
    const page = await get(given, url)
    for (const one of page.differences) {
      found.push(one.verdict)
      const verdict = await get(given, one.href)
      t.equal(verdict.outcome, one.from)
      t.equal(verdict.policy.digest, one.policyDigest)
      t.ok(one.rules.length > 0)
    }
    pages += 1
    url = page.next === undefined ? undefined : `${base}/differences?limit=4&cursor=${page.next}`
  }
  t.same([found, pages], [ids, 2], 'each once, newest first')
  const ready4 = await get(given, summary.outcomes[1].href)
  t.equal(ready4.differences.length, 4)
  const byRule = await get(given, `${base}/differences?rule=${removed}&from=not_ready&to=not_ready&limit=1`)
  t.match(byRule.differences, [{ from: 'not_ready', to: 'not_ready' }])
  const rest = await get(given, `${base}/differences?cursor=${byRule.next}`)
  t.equal(rest.differences.length, 1)
  t.equal(rest.next, undefined)
  const narrowed = await get(given, `${base}/differences?rule=${strict}&from=not_ready&to=not_ready`)
  t.ok(narrowed.differences.length <= 2)

  t.match(
    (await given.app.inject('/metrics')).body,
    'imagegate_shadow_evaluations_total{from="ready",to="not_ready"} 4\n',
  )
  t.match((await given.app.inject('/health/ready')).json(), { policies: { candidate: candidate.digest } })
  t.notMatch((await given.app.inject('/v1/policies')).body, candidate.digest, 'it stands in no ordinary list')
  t.equal((await given.app.inject('/v1/policies/linux/2.0.0')).statusCode, 404)
  t.equal((await get(given, '/v1/verdicts')).verdicts.length, 9)
  t.equal(await given.store.policyBody(candidate.digest), candidate.text)
  for (const id of ids) t.equal((await get(given, `/v1/verdicts/${id}/replay`)).result, 'same')
})

t.test('what is not there or not valid has its code', async (t) => {
  const given = await stage(t.testdir({}), {}, candidate)
  t.teardown(given.close)
  const codeOf = async (url: string) => problem(await given.app.inject(url)).code
  t.equal(await codeOf('/v1/policies/windows-server/candidate'), 'CANDIDATE_NOT_FOUND')
  t.equal(await codeOf('/v1/policies/unidentified/candidate/differences'), 'CANDIDATE_NOT_FOUND')
  t.equal(await codeOf(`${base}/differences?from=ready`), 'OPTION_INVALID')
  t.equal(await codeOf(`${base}/differences?to=best&from=ready`), 'OPTION_INVALID')
  t.equal(await codeOf(`${base}/differences?limit=0`), 'OPTION_INVALID')
  t.equal(await codeOf(`${base}/differences?cursor=x`), 'CURSOR_INVALID')
  await post(given, ready)
  await post(given, faulty)
  const { next } = await get(given, `${base}/differences?limit=1`)
  t.equal(await codeOf(`${base}/differences?cursor=${next}&rule=${strict}`), 'CURSOR_INVALID')
  const { next: other } = await get(given, '/v1/verdicts?limit=1')
  t.equal(await codeOf(`${base}/differences?cursor=${other}`), 'CURSOR_INVALID')
  t.equal(await codeOf(`/v1/verdicts?cursor=${next}`), 'CURSOR_INVALID')
  const without = await stage(t.testdir({ without: {} }))
  t.teardown(without.close)
  t.equal(problem(await without.app.inject(base)).code, 'CANDIDATE_NOT_FOUND')
})

t.test('a shadow that cannot be evaluated or recorded costs no verdict', async (t) => {
  const given = await stage(t.testdir({}), {}, candidate)
  t.teardown(given.close)
  const other = new Database(given.file)
  for (const name of ['shadow_counts', 'shadow_differences', 'shadow_evaluations']) {
    other.exec(`ALTER TABLE ${name} RENAME TO away`)
    const answer = await post(given, ready)
    t.equal(answer.statusCode, 201, `without ${name}`)
    other.exec(`ALTER TABLE away RENAME TO ${name}`)
    t.equal((await get(given, `/v1/verdicts/${answer.json().id}`)).id, answer.json().id)
  }
  t.match((await given.app.inject('/metrics')).body, /imagegate_shadow_failures_total 3\n/)
  t.same(await given.store.shadowCounts(defaultTenant, candidate.digest), [], 'none is there in part')
  t.equal(other.prepare('SELECT count(*) FROM shadow_differences').pluck().get(), 0)
  t.equal((await post(given, ready)).statusCode, 201)
  t.match(await given.store.shadowCounts(defaultTenant, candidate.digest), [{ evaluations: 1 }])
  for (const sql of [
    "UPDATE shadow_evaluations SET to_outcome = 'ready'",
    'DELETE FROM shadow_evaluations',
    'INSERT OR REPLACE INTO shadow_evaluations SELECT * FROM shadow_evaluations',
    "UPDATE shadow_differences SET rule = 'x'",
    'DELETE FROM shadow_differences',
    'UPDATE shadow_counts SET evaluations = 0',
    'DELETE FROM shadow_counts',
  ])
    t.throws(() => other.exec(sql), { code: /^SQLITE_CONSTRAINT/ }, sql)
  other.close()
})

t.test('a candidate that throws while it is evaluated costs no verdict', async (t) => {
  const throwing = Object.defineProperty({ ...candidate }, 'family', { value: 'linux' })
  const given = await stage(t.testdir({}), {}, throwing)
  t.teardown(given.close)
  Object.defineProperty(throwing, 'policy', {
    get() {
      throw new RangeError('no stack left')
    },
  })
  const answer = await post(given, ready)
  t.equal(answer.statusCode, 201)
  t.match((await given.app.inject('/metrics')).body, /imagegate_shadow_failures_total 1\n/)
  t.ok(given.log.some(({ msg }) => msg === 'the candidate policy could not be evaluated'))
})
