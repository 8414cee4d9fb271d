import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import { sha256 } from '../../server/digest.ts'
import { ImagegateError } from '../../server/errors.ts'
import { evaluator } from '../../server/evaluation/judge.ts'
import { parseOptions } from '../../server/evaluation/options.ts'
import { evaluateAndRecord } from '../../server/evaluation/record.ts'
import { evidence, replay } from '../../server/evaluation/replay.ts'
import { parseFacts } from '../../server/facts/parse.ts'
import { loadPolicies } from '../../server/policy/load.ts'
import { submittedBy } from '../audit/records.ts'
import { policies, readFacts } from '../policies/shipped.ts'
import { canonical } from '../support/canonical.ts'

async function stage(t: Test) {
  const file = join(t.testdir(), 'imagegate.db')
  const store = await openSqliteStore({ file })
  t.teardown(() => store.close())
  const recorder = { policies, store, now: () => new Date() }
  const record = (document: unknown, given: Record<string, string> = {}, idempotencyKey?: string) =>
    evaluateAndRecord(recorder, {
      tenant: 'default',
      submittedBy,
      facts: parseFacts(Buffer.from(JSON.stringify(document))),
      given: parseOptions(given),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    })
  return { file, store, record }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    if (error instanceof ImagegateError) return error.code
    throw error
  }
  return 'no error'
}

/** Changes a record behind the program's back, as nobody should. */
function tamper(file: string, sql: string, ...values: unknown[]): void {
  const database = new Database(file)
  try {
    const triggers = database.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").pluck().all()
    for (const name of triggers) database.exec(`DROP TRIGGER "${name}"`)
    database.prepare(sql).run(...values)
  } finally {
    database.close()
  }
}

t.test('a recorded verdict is canonical, has its digest, and replays the same from the record alone', async (t) => {
  const { store, record } = await stage(t)
  for (const example of ['linux/several-faults', 'linux/not-listed', 'windows-server/ready', 'unidentified/vmdk']) {
    const { id, body, recordDigest, replayed } = await record(await readFacts(`examples/${example}.json`))
    t.equal(replayed, false)
    t.equal(body, canonical(JSON.parse(body)))
    t.equal(recordDigest, sha256(body))
    t.same(await store.verdict('default', id), { body, recordDigest })
    t.same(await replay(store, 'default', id), {
      id,
      evaluator: { recorded: evaluator, current: evaluator },
      result: 'same',
    })
    const shown = await evidence(store, 'default', id)
    t.ok(
      shown.findings.every((finding) => (finding.evidence?.length ?? 0) > 0),
      'evidence for every rule, passes too',
    )
  }
})

t.test('under one key the first verdict is the answer, and another request is a conflict', async (t) => {
  const { store, record } = await stage(t)
  const document = await readFacts('examples/linux/ready.json')
  const first = await record(document, {}, 'key-1')
  const again = await record(structuredClone(document), {}, 'key-1')
  t.match(again, { id: first.id, body: first.body, replayed: true })
  t.equal(await codeOf(record(document, { asOf: '2021-01-01' }, 'key-1')), 'IDEMPOTENCY_KEY_REUSED')
  t.equal(await codeOf(record(document, { policyVersion: '7.7.7' }, 'key-2')), 'POLICY_VERSION_UNKNOWN')
  t.equal((await record(document, {}, 'key-2')).replayed, false, 'a refused request consumes no key')
  const racing = await Promise.all(Array.from({ length: 16 }, () => record(document, {}, 'key-3')))
  t.equal(new Set(racing.map(({ id }) => id)).size, 1)
  t.equal(racing.filter(({ replayed }) => !replayed).length, 1)
  t.equal((await store.list('default', {}, 100)).verdicts.length, 3)
})

t.test('under a key the first verdict stands even when its policy has been withdrawn', async (t) => {
  const { store, record } = await stage(t)
  const document = await readFacts('examples/linux/ready.json')
  const first = await record(document, { policyVersion: '1.0.0' }, 'key')
  const withdrawn = { at: '2026-01-01T00:00:00Z', reason: 'wrong' }
  const later = { versions: policies.versions.map((policy) => ({ ...policy, withdrawn })) }
  const facts = parseFacts(Buffer.from(JSON.stringify(document)))
  const request = { tenant: 'default', submittedBy, facts, given: { policyVersion: '1.0.0' } }
  const recorder = { policies: later, store, now: () => new Date() }
  t.equal(await codeOf(evaluateAndRecord(recorder, request)), 'POLICY_VERSION_UNKNOWN')
  t.equal((await evaluateAndRecord(recorder, { ...request, idempotencyKey: 'key' })).id, first.id)
})

t.test('replay says what differs, and never fails for what the record holds', async (t) => {
  const { file, store, record } = await stage(t)
  const document = await readFacts('examples/linux/several-faults.json')
  const one = await record(document)
  const two = await record({ ...document, image: { ...document.image, name: 'other.qcow2' } })
  t.equal(
    await codeOf(
      replay(
        store,
        'default',
        one.id.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      ),
    ),
    'VERDICT_NOT_FOUND',
  )
  t.equal(await codeOf(replay(store, 'another', one.id)), 'VERDICT_NOT_FOUND')
  const forged = one.body.replace('"outcome":"not_ready"', '"outcome":"ready"')
  t.not(forged, one.body)
  tamper(file, 'UPDATE verdicts SET body = ? WHERE id = ?', forged, one.id)
  t.match(await replay(store, 'default', one.id), { result: 'different', firstDifference: '', reason: /digest/ })
  tamper(file, 'UPDATE verdicts SET record_digest = ? WHERE id = ?', sha256(forged), one.id)
  t.match(await replay(store, 'default', one.id), { result: 'different', firstDifference: '/outcome' })
  const { documentDigest } = JSON.parse(two.body)
  tamper(
    file,
    "UPDATE fact_documents SET body = NULL, removed_at = '2026-01-01T00:00:00.000Z', removal_reason = 'test' WHERE digest = ?",
    documentDigest,
  )
  t.match(await replay(store, 'default', two.id), { result: 'facts_expired' })
  t.equal(await codeOf(evidence(store, 'default', two.id)), 'FACTS_EXPIRED')
})

t.test('start-up refuses a policy that was changed, is not released, or is gone', async (t) => {
  const linux = policies.versions.find(({ family }) => family === 'linux')
  if (linux === undefined) throw new Error('no policy')
  const lock = (digest: string, version = '1.0.0', effectiveFrom = linux.effectiveFrom) =>
    JSON.stringify({
      schema: 'imagegate.policy-lock/1',
      policies: [{ family: 'linux', version, digest, effectiveFrom }],
    })
  const folder = t.testdir({ linux: { '1.0.0.yaml': linux.text }, 'policies.lock.json': lock(linux.digest) })
  t.equal((await loadPolicies(folder)).versions.length, 1)
  await writeFile(join(folder, 'linux/1.0.0.yaml'), `${linux.text}# a comment\n`)
  t.equal(await codeOf(loadPolicies(folder)), 'POLICY_CHANGED')
  await writeFile(join(folder, 'linux/1.0.0.yaml'), linux.text)
  await writeFile(join(folder, 'policies.lock.json'), lock(linux.digest, '1.0.1'))
  const refused = await loadPolicies(folder).catch((error: ImagegateError) => error)
  t.match(refused, { code: 'POLICY_CHANGED', total: 2 }, 'one is not released, one is gone')
  await writeFile(join(folder, 'linux/1.1.0.yaml'), linux.text.replace('version: "1.0.0"', 'version: "1.1.0"'))
  t.equal(await codeOf(loadPolicies(folder)), 'POLICY_INVALID', 'two versions are in force from one instant')
  await writeFile(join(folder, 'policies.lock.json'), '{}')
  t.equal(await codeOf(loadPolicies(folder)), 'POLICY_INVALID')
})

t.test(
  'what was released is parsed when it is first used, and refused there when the lock tells another date',
  async (t) => {
    const linux = policies.versions.find(({ family }) => family === 'linux')
    if (linux === undefined) throw new Error('no policy')
    const locked = (text: string, effectiveFrom: string) => ({
      linux: { '1.0.0.yaml': text },
      'policies.lock.json': JSON.stringify({
        schema: 'imagegate.policy-lock/1',
        policies: [{ family: 'linux', version: '1.0.0', digest: sha256(text), effectiveFrom }],
      }),
    })
    const first = async (text: string, effectiveFrom: string) => {
      const [policy] = (await loadPolicies(t.testdir(locked(text, effectiveFrom)))).versions
      if (policy === undefined) throw new Error('no policy')
      return policy
    }
    const good = await first(linux.text, linux.effectiveFrom)
    t.equal(good.policy, good.policy, 'parsed once')
    t.same(good.policy, linux.policy)
    const other = await first(linux.text, '2021-01-01T00:00:00Z')
    t.throws(() => other.policy, {
      code: 'POLICY_INVALID',
      problems: [{ file: 'linux/1.0.0.yaml', message: /the lock says .*2021/ }],
    })
    const broken = await first('rules: [', linux.effectiveFrom)
    t.throws(() => broken.policy, { code: 'POLICY_INVALID' })
  },
)
