import { test } from 'tap'
import { drivings } from '../../server/audit/list-driving.ts'
import type { ListPosition } from '../../server/audit/list-position.ts'
import { listQuery } from '../../server/audit/list-query.ts'
import { examined, reachOf, reachQuery } from '../../server/audit/list-reach.ts'
import type { ListRequest } from '../../server/audit/list-request.ts'
import { readsQuery } from '../../server/audit/read-queries.ts'
import type { ReadFilter } from '../../server/audit/reads.ts'
import { countsByDayQuery, mostFrequentQuery } from '../../server/audit/statistics-queries.ts'
import type { VerdictFilter } from '../../server/audit/store.ts'
import { noPostgres, startPostgres } from '../support/postgres.ts'
import { listRows, postgresPlanner } from './postgres-planner.ts'
import { identityAt } from './records.ts'

const everyFilter: Required<VerdictFilter> = {
  from: '2026-02-01T00:00:00Z',
  to: '2026-03-01T00:00:00Z',
  outcome: 'not_ready',
  family: 'linux',
  osType: 'linux',
  osId: 'debian',
  imageName: 'web-7',
  imageDigest: 'sha256:7',
  policyVersion: '1.1.0',
  failedRule: 'linux.rule-1',
  missingFact: '/fact/1',
  severity: 'block',
  effect: 'block',
  caller: 'key:7',
  requestId: 'request-7',
  text: 'web-19',
}

const position: ListPosition = {
  upTo: identityAt('2026-03-20T00:00:00Z').id,
  before: identityAt('2026-03-10T00:00:00Z').id,
}

/** No filter, each alone, each two, and all. */
function combinations(): VerdictFilter[] {
  const names = Object.entries(everyFilter)
  const pairs = names.flatMap((one, index) => names.slice(index + 1).map((other) => Object.fromEntries([one, other])))
  return [{}, ...names.map((one) => Object.fromEntries([one])), ...pairs, everyFilter]
}

test('on PostgreSQL every list is found by indexes', { skip: noPostgres }, async (t) => {
  const explain = await postgresPlanner(t, await startPostgres(t), listRows)
  const requestOf = (filter: VerdictFilter, position?: ListPosition): ListRequest => {
    return { dialect: 'postgres', tenant: 'default', filter, limit: 51, position }
  }
  const list = (filter: VerdictFilter, position?: ListPosition) =>
    explain(async (db) => {
      const request = requestOf(filter, position)
      const { driving, floor } = await reachOf(db, request)
      return listQuery(db, { ...request, floor }, driving)
    })

  await t.test('a page touches few of 40,000 verdicts, scans no table and sorts next to nothing', async (t) => {
    for (const filter of combinations()) {
      for (const at of [undefined, position]) {
        const work = await list(filter, at)
        const told = JSON.stringify({ filter, at: at !== undefined, ...work, indexes: [...work.indexes] })
        t.same(work.scanned, [], told)
        t.notOk(work.parallel, told)
        t.ok(work.sorted <= 500, told)
        // Each row of what drives, the verdict that is looked up for it, and a finding or a fact of that.
        const alone = filter.text === undefined && Object.keys(filter).length < 2
        t.ok(work.touched <= (alone ? 300 : 3 * examined), told)
      }
    }
  })

  await t.test('how far each filter reaches is read in indexes alone', async (t) => {
    for (const filter of combinations()) {
      const candidates = drivings(requestOf(filter, position))
      if (candidates.length === 0) continue
      const request = requestOf(filter, position)
      const work = await explain((db) => ({ compile: () => reachQuery(candidates, request).compile(db) }))
      const told = JSON.stringify({ filter, ...work, indexes: [...work.indexes] })
      t.same(work.scanned, [], told)
      t.ok(work.sorted <= examined, told)
      t.ok(work.touched <= candidates.length * (examined + 50), told)
    }
  })

  await t.test('each filter alone is served by its own index', async (t) => {
    const expected: readonly (readonly [keyof VerdictFilter, string])[] = [
      ['outcome', 'verdicts_by_outcome'],
      ['family', 'verdicts_by_family'],
      ['osType', 'verdicts_by_os_type'],
      ['osId', 'verdicts_by_os_id'],
      ['imageName', 'verdicts_by_image_name'],
      ['imageDigest', 'verdicts_by_image_digest'],
      ['policyVersion', 'verdicts_by_policy_version'],
      ['failedRule', 'findings_pkey'],
      ['missingFact', 'missing_facts_pkey'],
      ['severity', 'finding_kinds_pkey'],
      ['effect', 'finding_kinds_pkey'],
      ['caller', 'verdicts_by_caller'],
      ['requestId', 'verdicts_by_request'],
      ['text', 'image_trigrams_pkey'],
      ['from', 'verdicts_pkey'],
      ['to', 'verdicts_pkey'],
    ]
    for (const [name, index] of expected) {
      const { indexes } = await list({ [name]: everyFilter[name] })
      t.ok(indexes.has(index), `${name}: ${[...indexes]}`)
    }
  })

  await t.test('statistics read the days that are asked for, in one index', async (t) => {
    const period = { from: '2026-02-01', to: '2026-02-08' }
    const days = await explain((db) => countsByDayQuery(db, 'default', period, 'linux.rule-1'))
    t.match(days, { scanned: [], touched: 14 }, JSON.stringify({ ...days, indexes: [...days.indexes] }))
    t.same([...days.indexes], ['daily_counts_by_subject'])
    const rules = await explain((db) => mostFrequentQuery(db, 'default', period, { result: 'fail', limit: 10 }))
    t.match(rules, { scanned: [], touched: 7 * 45 }, JSON.stringify({ ...rules, indexes: [...rules.indexes] }))
    t.same([...rules.indexes], ['daily_counts_pkey'])
  })

  await t.test('a page of reads touches little more than it shows, whatever is combined', async (t) => {
    const { from, to, caller } = everyFilter
    const every: Required<ReadFilter> = { from, to, caller, operation: 'getFacts', verdict: 'verdict-7' }
    const named = Object.entries(every)
    for (let bits = 0; bits < 2 ** named.length; bits += 1) {
      const filter: ReadFilter = Object.fromEntries(named.filter((_, index) => bits & (1 << index)))
      for (const at of [undefined, position]) {
        const work = await explain((db) => readsQuery(db, { tenant: 'default', filter, limit: 51, position: at }))
        const told = JSON.stringify({ filter, at: at !== undefined, ...work, indexes: [...work.indexes] })
        t.same(work.scanned, [], told)
        t.ok(work.touched <= 60 && work.sorted <= 60, told)
      }
    }
  })
})
