import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { ListPosition } from '../../server/audit/list-position.ts'
import type { Dialect } from '../../server/audit/list-request.ts'
import { openStore } from '../../server/audit/open.ts'
import { openPool } from '../../server/audit/postgres-connection.ts'
import { runOn } from '../../server/audit/postgres-reader.ts'
import { listVerdicts } from '../../server/audit/queries.ts'
import type { RunQueries } from '../../server/audit/reader.ts'
import { SqliteQueries } from '../../server/audit/sqlite-reader.ts'
import type { VerdictFilter, VerdictRecord } from '../../server/audit/store.ts'
import type { DatabasePlace } from '../../server/database.ts'
import { count, random, seed } from '../support/long.ts'
import { noPostgres, startPostgres } from '../support/postgres.ts'
import { identityAt, makeRecord } from './records.ts'

const values = {
  outcome: ['ready', 'not_ready', 'undetermined'],
  family: ['linux', 'windows-server'],
  osType: ['linux', 'windows'],
  osId: ['debian', 'ubuntu'],
  imageName: ['web-1', 'web-2', 'db-1', 'Web-DB'],
  policyVersion: ['1.0.0', '2.0.0'],
  failedRule: ['a.b', 'a.c', 'a.w'],
  missingFact: ['/os', '/boot/mode'],
  severity: ['block', 'warn'],
  effect: ['block', 'warn'],
  caller: ['key:one', 'key:two'],
  text: ['web', 'WEB-', 'eb-1', 'db-1', 'b-d', 'none'],
} as const satisfies Partial<Record<keyof VerdictFilter, readonly string[]>>

type Pick = <T>(from: readonly [T, ...T[]]) => T

function picking(next: () => number): Pick {
  return (from) => from[Math.floor(next() * from.length)] ?? from[0]
}

/** Verdicts whose columns are by chance, some of another tenant among them. */
function recordsBy(next: () => number, tenants: readonly [string, ...string[]], number: number): VerdictRecord[] {
  const pick = picking(next)
  const some = (from: readonly string[]) => from.filter(() => next() < 0.4)
  return Array.from({ length: number }, (_, order) =>
    makeRecord({
      tenant: pick(tenants),
      identity: identityAt(`2026-02-01T00:00:0${Math.floor(order / 60)}Z`, order),
      outcome: pick(values.outcome),
      family: pick(values.family),
      version: pick(values.policyVersion),
      subject: { imageName: pick(values.imageName), osType: pick(values.osType), osId: pick(values.osId) },
      failed: some(['a.b', 'a.c']),
      warned: some(['a.w']),
      missing: some(values.missingFact),
      submittedBy: { caller: pick(values.caller), requestId: '00000000-0000-4000-8000-000000000001' },
    }),
  )
}

/** Whether a verdict belongs in a list, by what the verdict itself says. */
function belongs({ verdict }: VerdictRecord, filter: VerdictFilter): boolean {
  const { outcome, subject, policy, submittedBy, findings, missing } = verdict
  const { failedRule, severity, effect, missingFact, text, ...columns } = filter
  const own: Record<string, string | undefined> = {
    ...{ outcome, family: policy.family, policyVersion: policy.version, caller: submittedBy?.caller },
    ...{ imageName: subject.imageName, osType: subject.osType, osId: subject.osId },
  }
  const ofFinding = failedRule !== undefined || severity !== undefined || effect !== undefined
  return (
    Object.entries(columns).every(([name, value]) => own[name] === value) &&
    (text === undefined || (subject.imageName ?? '').toLowerCase().includes(text.toLowerCase())) &&
    (missingFact === undefined || missing.some(({ pointer }) => pointer === missingFact)) &&
    (!ofFinding ||
      findings.some(
        (one) =>
          one.result !== 'pass' &&
          (failedRule === undefined || (one.rule === failedRule && one.result === 'fail')) &&
          (severity === undefined || one.severity === severity) &&
          (effect === undefined || one.effect === effect),
      ))
  )
}

interface Subject {
  readonly place: DatabasePlace
  readonly dialect: Dialect
  readonly run: RunQueries
}

const several = ['one', 'one', 'one', 'two'] as const

async function compare(t: Test, { place, dialect, run }: Subject, tenants: readonly [string, ...string[]] = several) {
  const next = random(seed)
  const pick = picking(next)
  t.comment(`seed ${seed}`)
  const records = recordsBy(next, tenants, 300)
  const store = await openStore(place)
  await Promise.all(records.map((record) => store.record(record)))
  await store.close()
  let early = 0
  for (let index = 0; index < count(20_000); index += 1) {
    const tenant = pick(tenants)
    const filter: VerdictFilter = Object.fromEntries(
      Object.entries(values).flatMap(([name, [first, ...others]]) =>
        next() < 0.25 ? [[name, pick([first, ...others])]] : [],
      ),
    )
    const limit = 1 + Math.floor(next() * 20)
    const examined = limit + Math.floor(next() * 20)
    const found: string[] = []
    for (let position: ListPosition | undefined; ; ) {
      const asked = { dialect, tenant, filter, limit, examined, position }
      const page = await run(tenant, (db) => listVerdicts(db, asked))
      found.push(...page.verdicts.map(({ id }) => id))
      if (page.next === undefined) break
      if (page.verdicts.length < limit) early += 1
      position = page.next
    }
    const wanted = records.filter((record) => record.verdict.tenant === tenant && belongs(record, filter))
    t.same(
      found,
      wanted.map(({ verdict }) => verdict.id).reverse(),
      JSON.stringify({ tenant, filter, limit, examined }),
    )
  }
  t.ok(early > count(20_000) / 20, `${early} pages ended early`)
}

test('pages together hold what belongs in a list, each once, however early they end', async (t) => {
  const onSqlite = (t: Test): Subject => {
    const file = join(t.testdir(), 'imagegate.db')
    const queries = new SqliteQueries(file)
    t.teardown(() => queries.close())
    return { place: { kind: 'sqlite', file }, dialect: 'sqlite', run: (_tenant, asked) => queries.run(asked) }
  }
  await t.test('on SQLite', (t) => compare(t, onSqlite(t)))
  await t.test('on SQLite with one tenant, where a text drives', (t) => compare(t, onSqlite(t), ['one']))
  await t.test('on PostgreSQL', { skip: noPostgres }, async (t) => {
    const databases = await startPostgres(t)
    const url = await databases.create()
    const pool = openPool({ url, size: 1 })
    t.teardown(() => pool.end())
    await compare(t, { place: { kind: 'postgres', url }, dialect: 'postgres', run: runOn(pool) })
  })
})
