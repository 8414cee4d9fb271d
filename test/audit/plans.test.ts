import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { type Test, test } from 'tap'
import { apiKeyQuery, apiKeysQuery } from '../../server/audit/api-key-queries.ts'
import {
  checkpointsQuery,
  coverageQuery,
  entriesQuery,
  entryQuery,
  linksQuery,
} from '../../server/audit/chain-queries.ts'
import { changesQuery } from '../../server/audit/change-queries.ts'
import { drivings } from '../../server/audit/list-driving.ts'
import type { ListPosition } from '../../server/audit/list-position.ts'
import { listQuery } from '../../server/audit/list-query.ts'
import { aloneQuery, reachQuery } from '../../server/audit/list-reach.ts'
import type { ListRequest } from '../../server/audit/list-request.ts'
import {
  documentsQuery,
  idempotentQuery,
  policyBodyQuery,
  recordsQuery,
  verdictQuery,
} from '../../server/audit/queries.ts'
import { readsQuery } from '../../server/audit/read-queries.ts'
import type { ReadFilter } from '../../server/audit/reads.ts'
import { countsQuery, shadowFloorQuery, shadowQuery } from '../../server/audit/shadow-queries.ts'
import { createDatabaseFile, openForReading, openForWriting } from '../../server/audit/sqlite-connection.ts'
import { migrateSqlite } from '../../server/audit/sqlite-migrate.ts'
import { expirySql } from '../../server/audit/sqlite-retention.ts'
import { countsByDayQuery, mostFrequentQuery } from '../../server/audit/statistics-queries.ts'
import type { ShadowFilter, VerdictFilter } from '../../server/audit/store.ts'
import type { AuditTables } from '../../server/audit/tables.ts'
import { sha256 } from '../../server/digest.ts'
import { random, seed } from '../support/long.ts'
import { identityAt } from './records.ts'

const everyFilter: Required<VerdictFilter> = {
  from: '2026-01-01T00:00:00Z',
  to: '2026-02-01T00:00:00Z',
  outcome: 'not_ready',
  family: 'linux',
  osType: 'linux',
  osId: 'debian',
  imageName: 'web-01.qcow2',
  imageDigest: sha256('image'),
  policyVersion: '1.0.0',
  failedRule: 'linux.ext4.64bit',
  missingFact: '/boot/mode',
  severity: 'block',
  effect: 'warn',
  caller: 'key:ci',
  requestId: '3f0e4c1a-6c1d-4a53-9d0e-0f5a4e6b7c8d',
  text: 'web',
}

const position: ListPosition = {
  upTo: identityAt('2026-01-20T00:00:00Z').id,
  before: identityAt('2026-01-10T00:00:00Z').id,
}

const names = Object.entries(everyFilter)

/** Combinations of filters: every one of at most three, every one that lacks at most two, and some of the rest. */
function combinations(): VerdictFilter[] {
  const next = random(seed)
  const wanted = (bits: number) => {
    const size = names.filter((_, index) => bits & (1 << index)).length
    return size <= 3 || size >= names.length - 2 || next() < 0.01
  }
  return Array.from({ length: 2 ** names.length }, (_, bits) => bits)
    .filter(wanted)
    .map((bits) => Object.fromEntries(names.filter((_, index) => bits & (1 << index))))
}

interface Planner {
  /** The lines of EXPLAIN QUERY PLAN. */
  readonly explain: (sql: string, parameters?: readonly unknown[]) => readonly string[]
  readonly db: Kysely<AuditTables>
}

function planner(t: Test): Planner {
  const file = join(t.testdir(), 'imagegate.db')
  createDatabaseFile(file)
  const writing = openForWriting(file)
  migrateSqlite(writing)
  writing.close()
  const database = openForReading(file)
  const db = new Kysely<AuditTables>({ dialect: new SqliteDialect({ database }) })
  t.teardown(() => db.destroy())
  const explain: Planner['explain'] = (sql, parameters = []) =>
    database
      .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...parameters)
      .map(({ detail }) => detail)
  return { explain, db }
}

/** Faults of a plan: a scan of a table or a whole index, or a sort. */
function faults(plan: readonly string[]): readonly string[] {
  return plan.filter((line) => {
    // What is matched in an index of text is called a scan, too.
    if (/^SCAN (image_texts VIRTUAL TABLE INDEX \d+:M|CONSTANT ROW$)/.test(line)) return false
    return line.startsWith('SCAN') || line.includes('TEMP B-TREE') || line.includes('AUTOMATIC')
  })
}

function requestOf(filter: VerdictFilter, position?: ListPosition): ListRequest {
  return { dialect: 'sqlite', tenant: 'default', filter, limit: 51, position }
}

/** The plan of a list that is driven by the first of what can drive it. */
function planOfList({ explain, db }: Planner, filter: VerdictFilter, position?: ListPosition): readonly string[] {
  const request = requestOf(filter, position)
  const { sql, parameters } = listQuery(db, request, drivings(request)[0]).compile()
  return explain(sql, parameters)
}

test('no combination of filters scans a table or sorts, whatever drives it, on the first page and on later ones', (t) => {
  const { explain, db } = planner(t)
  const all = combinations()
  t.comment(`seed ${seed}`)
  t.ok(all.length > 1000)
  const bad = all.flatMap((filter) =>
    [undefined, position].flatMap((position) => {
      const request = requestOf(filter, position)
      const candidates = drivings(request)
      const queries = [undefined, ...candidates].map((driving) => listQuery(db, request, driving).compile())
      if (candidates.length > 0) queries.push(reachQuery(candidates, request).compile(db))
      return queries.flatMap(({ sql, parameters }) => {
        const plan = explain(sql, parameters)
        return faults(plan).length > 0 ? [{ filter, position, sql, plan }] : []
      })
    }),
  )
  t.same(bad.slice(0, 3), [])
  t.end()
})

test('each filter alone is served by its own index, bounded by the id where a page follows', (t) => {
  const plans = planner(t)
  const expected: readonly (readonly [keyof VerdictFilter, string])[] = [
    ['outcome', 'verdicts USING INDEX verdicts_by_outcome (tenant=? AND outcome=? AND id<?)'],
    ['family', 'verdicts USING INDEX verdicts_by_family (tenant=? AND family=? AND id<?)'],
    ['osType', 'verdicts USING INDEX verdicts_by_os_type (tenant=? AND os_type=? AND id<?)'],
    ['osId', 'verdicts USING INDEX verdicts_by_os_id (tenant=? AND os_id=? AND id<?)'],
    ['imageName', 'verdicts USING INDEX verdicts_by_image_name (tenant=? AND image_name=? AND id<?)'],
    ['imageDigest', 'verdicts USING INDEX verdicts_by_image_digest (tenant=? AND image_digest=? AND id<?)'],
    ['policyVersion', 'verdicts USING INDEX verdicts_by_policy_version (tenant=? AND policy_version=? AND id<?)'],
    ['failedRule', 'findings USING PRIMARY KEY (tenant=? AND rule=? AND result=? AND verdict_id<?)'],
    ['missingFact', 'missing_facts USING PRIMARY KEY (tenant=? AND pointer=? AND verdict_id<?)'],
    ['severity', 'finding_kinds USING PRIMARY KEY (tenant=? AND severity=? AND effect=? AND verdict_id<?)'],
    ['effect', 'finding_kinds USING PRIMARY KEY (tenant=? AND severity=? AND effect=? AND verdict_id<?)'],
    ['caller', 'verdicts USING INDEX verdicts_by_caller (tenant=? AND caller=? AND id<?)'],
    ['requestId', 'verdicts USING INDEX verdicts_by_request (tenant=? AND request_id=? AND id<?)'],
    ['from', 'verdicts USING INDEX sqlite_autoindex_verdicts_1 (tenant=? AND id>? AND id<?)'],
    ['to', 'verdicts USING INDEX sqlite_autoindex_verdicts_1 (tenant=? AND id<?)'],
  ]
  for (const [name, driving] of expected) {
    const [first] = planOfList(plans, { [name]: everyFilter[name] }, position)
    t.equal(first, `SEARCH ${driving}`, name)
  }
  t.end()
})

test('the narrowest filter drives: an image or a request, else a text, a failed rule, a missing fact, a kind of finding', (t) => {
  const plans = planner(t)
  const { imageName: _name, imageDigest: _digest, requestId: _request, ...others } = everyFilter
  const driving = (filter: VerdictFilter) => planOfList(plans, filter)[0]
  const { imageName, imageDigest } = everyFilter
  t.match(driving({ ...others, imageName, imageDigest }), 'verdicts_by_image_digest')
  t.match(driving({ ...others, imageName }), 'verdicts_by_image_name')
  t.match(driving({ ...others, requestId: everyFilter.requestId }), 'verdicts_by_request')
  t.match(driving(others), /^SCAN image_texts VIRTUAL TABLE INDEX \d+:M/)
  const { text: _text, ...withoutText } = others
  t.match(driving(withoutText), 'SEARCH findings')
  const { failedRule: _rule, ...withoutRule } = withoutText
  t.match(driving(withoutRule), 'SEARCH missing_facts')
  const { missingFact: _fact, ...withoutFact } = withoutRule
  t.match(driving(withoutFact), 'SEARCH finding_kinds')
  t.end()
})

test('how far each filter reaches is found in its index, and any of them can drive', (t) => {
  const { explain, db } = planner(t)
  const request = requestOf(everyFilter, position)
  const columns = ['caller', 'policy_version', 'os_id', 'os_type', 'family', 'outcome']
  const ofColumn = (index: string, column: string) =>
    `SEARCH verdicts USING COVERING INDEX ${index} (tenant=? AND ${column}=? AND id>? AND id<?)`
  const expected = [
    ofColumn('verdicts_by_image_digest', 'image_digest'),
    ofColumn('verdicts_by_image_name', 'image_name'),
    ofColumn('verdicts_by_request', 'request_id'),
    /^SCAN image_texts VIRTUAL TABLE INDEX \d+:M/,
    'SEARCH verdicts USING COVERING INDEX sqlite_autoindex_verdicts_1 (tenant=? AND id>? AND id<?)',
    'SEARCH findings USING PRIMARY KEY (tenant=? AND rule=? AND result=? AND verdict_id>? AND verdict_id<?)',
    'SEARCH missing_facts USING PRIMARY KEY (tenant=? AND pointer=? AND verdict_id>? AND verdict_id<?)',
    ...columns.map((column) => ofColumn(`verdicts_by_${column}`, column)),
  ]
  const candidates = drivings(request)
  for (const [index, candidate] of candidates.entries()) {
    const { sql, parameters } = listQuery(db, request, candidate).compile()
    t.match(explain(sql, parameters)[0], expected[index])
  }
  const { sql, parameters } = reachQuery(candidates, request).compile(db)
  const alone = explain(aloneQuery.compile(db).sql).filter((line) => /^(SEARCH|SCAN|USE)/.test(line))
  const ends = 'SCAN verdicts USING COVERING INDEX'
  t.ok(alone.filter((line) => line.startsWith(ends)).length === 2 && alone.length === 3, 'each end of an index is read')
  const reads = explain(sql, parameters).filter((line) => /^(SEARCH|SCAN image_texts)/.test(line))
  t.match(reads, expected)
  t.equal(reads.length, expected.length)
  t.end()
})

test('shadow evaluations are found by one index each, and their counts by their key', (t) => {
  const { explain, db } = planner(t)
  const change = { from: 'ready', to: 'not_ready' }
  const expected: readonly (readonly [ShadowFilter, string])[] = [
    [{}, 'shadow_evaluations USING INDEX shadow_evaluations_differing (tenant=? AND candidate_digest=?'],
    [{ change }, 'shadow_evaluations USING INDEX shadow_evaluations_by_change (tenant=? AND candidate_digest=? AND'],
    [{ rule: 'a.b' }, 'shadow_differences USING PRIMARY KEY (tenant=? AND candidate_digest=? AND rule=?'],
    [{ rule: 'a.b', change }, 'shadow_differences USING PRIMARY KEY (tenant=? AND candidate_digest=? AND rule=?'],
  ]
  for (const [filter, driving] of expected) {
    for (const before of [undefined, position.before]) {
      const request = { tenant: 'default', candidate: sha256('candidate'), filter, limit: 51, before }
      const { sql, parameters } = shadowQuery(db, request).compile()
      const plan = explain(sql, parameters)
      t.same(faults(plan), [], JSON.stringify(filter))
      t.ok(plan[0]?.startsWith(`SEARCH ${driving}`), plan[0] ?? 'no plan')
      t.equal(plan[0]?.includes('verdict_id<?'), before !== undefined)
    }
  }
  const both = { tenant: 'default', candidate: sha256('candidate'), filter: { rule: 'a.b', change }, limit: 51 }
  for (const query of [
    shadowQuery(db, { ...both, floor: position.before }),
    shadowFloorQuery(db, both, 'a.b'),
    countsQuery(db, 'default', sha256('candidate')),
  ]) {
    const { sql, parameters } = query.compile()
    t.same(faults(explain(sql, parameters)), [])
  }
  t.end()
})

test('statistics read the days that are asked for, in one index', (t) => {
  const { explain, db } = planner(t)
  for (const family of [undefined, 'linux']) {
    const period = { from: '2026-01-01', to: '2026-02-01', ...(family !== undefined && { family }) }
    for (const [query, driving] of [
      [
        countsByDayQuery(db, 'default', period, 'a.b'),
        'INDEX daily_counts_by_subject (tenant=? AND subject=? AND day>?',
      ],
      [countsByDayQuery(db, 'default', period, ''), 'INDEX daily_counts_by_subject (tenant=? AND subject=? AND day>?'],
      [
        mostFrequentQuery(db, 'default', period, { result: 'fail', limit: 10 }),
        'PRIMARY KEY (tenant=? AND result=? AND day>?',
      ],
    ] as const) {
      const { sql, parameters } = query.compile()
      const plan = explain(sql, parameters)
      t.ok(plan[0]?.startsWith(`SEARCH daily_counts USING ${driving}`), plan.join('; '))
      t.notOk(
        plan.some((line) => line.startsWith('SCAN')),
        plan.join('; '),
      )
    }
  }
  t.end()
})

test('reads are found by an index of what narrows them most, whatever is combined', (t) => {
  const { explain, db } = planner(t)
  const { from, to, caller } = everyFilter
  const every: Required<ReadFilter> = { from, to, caller, operation: 'getFacts', verdict: position.upTo }
  const named = Object.entries(every)
  const plan = (filter: ReadFilter, at?: ListPosition) => {
    const { sql, parameters } = readsQuery(db, { tenant: 'default', filter, limit: 51, position: at }).compile()
    return explain(sql, parameters)
  }
  for (let bits = 0; bits < 2 ** named.length; bits += 1) {
    const filter: ReadFilter = Object.fromEntries(named.filter((_, index) => bits & (1 << index)))
    const index = filter.verdict
      ? 'INDEX audit_reads_by_verdict (tenant=? AND verdict_id=?'
      : filter.caller && filter.operation
        ? 'INDEX audit_reads_by_both (tenant=? AND caller=? AND operation=?'
        : filter.caller
          ? 'INDEX audit_reads_by_caller (tenant=? AND caller=?'
          : filter.operation
            ? 'INDEX audit_reads_by_operation (tenant=? AND operation=?'
            : 'PRIMARY KEY (tenant=?'
    for (const at of [undefined, position]) {
      const lines = plan(filter, at)
      const bounds = `${filter.from ? ' AND id>?' : ''}${filter.to || at ? ' AND id<?' : ''}`
      t.same(lines, [`SEARCH audit_reads USING ${index}${bounds})`], JSON.stringify(filter))
    }
  }
  t.end()
})

test('what is looked up by its key is found by its key', (t) => {
  const { explain, db } = planner(t)
  const checkpoint = { schema: 'imagegate.checkpoint/1', link: '', root: '', at: '', key: '', signature: '' } as const
  for (const { sql, parameters } of [
    recordsQuery(db, 'default', ['a', 'b']).compile(),
    documentsQuery(db, 'default', ['a', 'b']).compile(),
    entriesQuery(db, 'default', 7, 500).compile(),
    entryQuery(db, 'default', 'a').compile(),
    linksQuery(db, { ...checkpoint, tenant: 'default', from: 7, sequence: 500 }).compile(),
    verdictQuery(db, 'default', 'a').compile(),
    policyBodyQuery(db, 'a').compile(),
    idempotentQuery(db, 'default', 'a').compile(),
    apiKeyQuery(db, 'a').compile(),
    apiKeysQuery(db, 'default').compile(),
    checkpointsQuery(db, 'default', 7, 500).compile(),
    changesQuery(db, 'default', 7, 500).compile(),
  ]) {
    t.same(faults(explain(sql, parameters)), [], sql)
  }
  // The first tenant is the first entry of the key; everything else is found by it.
  const coverage = explain(coverageQuery().compile(db).sql)
  t.same(
    coverage.filter((line) => /SCAN (checkpoints|verdicts)|TEMP B-TREE/.test(line)),
    [],
  )
  t.same(faults(explain(expirySql, ['', '', '', 'z', 'i', 200])), [])
  const lookups = [
    'SELECT sequence, link FROM chain WHERE tenant = ? ORDER BY sequence DESC LIMIT 1',
    'SELECT sequence FROM chain WHERE tenant = ? AND verdict_id = ?',
    `DELETE FROM idempotency_keys WHERE (tenant, key) IN
       (SELECT tenant, key FROM idempotency_keys WHERE created_at < ? ORDER BY created_at LIMIT ?)`,
  ]
  for (const sql of lookups) {
    const parameters = [...sql].filter((character) => character === '?').map(() => 1)
    t.same(faults(explain(sql, parameters)), [], sql)
  }
  t.end()
})

test('the check of plans sees a scan and a sort', (t) => {
  const { explain } = planner(t)
  t.not(faults(explain("SELECT id FROM verdicts WHERE os_version = '12'")).length, 0)
  t.not(faults(explain("SELECT id FROM verdicts WHERE tenant = 'a' ORDER BY os_version")).length, 0)
  t.end()
})

test('fixed statistics stay what they are', (t) => {
  const file = join(t.testdir(), 'imagegate.db')
  createDatabaseFile(file)
  const db = openForWriting(file)
  t.teardown(() => db.close())
  migrateSqlite(db)
  const indexes = db
    .prepare<[], { name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name IN ('verdicts', 'audit_reads') AND name NOT GLOB 'sqlite_autoindex_audit_reads_*'",
    )
    .all()
  const known = db.prepare<[], { idx: string }>('SELECT idx FROM sqlite_stat1').all()
  for (const { name } of indexes)
    t.ok(
      known.some(({ idx }) => idx === name),
      `${name} has its line in sqlite_stat1`,
    )
  t.ok(db instanceof Database)
  t.end()
})
