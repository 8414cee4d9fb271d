import { CompiledQuery } from 'kysely'
import { test } from 'tap'
import { apiKeyQuery, apiKeysQuery } from '../../server/audit/api-key-queries.ts'
import {
  checkpointsQuery,
  coverageQuery,
  entriesQuery,
  entryQuery,
  linksQuery,
} from '../../server/audit/chain-queries.ts'
import { changesQuery } from '../../server/audit/change-queries.ts'
import { examined } from '../../server/audit/list-reach.ts'
import { beginWriting } from '../../server/audit/postgres-connection.ts'
import { newestQuery } from '../../server/audit/postgres-resume.ts'
import { beginExpiry, expirySql } from '../../server/audit/postgres-retention.ts'
import { purgeKeysSql } from '../../server/audit/postgres-upkeep.ts'
import {
  documentsQuery,
  idempotentQuery,
  policyBodyQuery,
  recordsQuery,
  verdictQuery,
} from '../../server/audit/queries.ts'
import { expiryPortion } from '../../server/audit/retention.ts'
import { countsQuery, shadowFloorQuery, shadowQuery } from '../../server/audit/shadow-queries.ts'
import type { ShadowFilter } from '../../server/audit/store.ts'
import { noPostgres, startPostgres } from '../support/postgres.ts'
import { type Explain, keyRows, postgresPlanner, type RunAs } from './postgres-planner.ts'

/** The id of a verdict of the filled database, which are numbered from 1. */
function idOf(number: number): string {
  const hex = (1_767_225_600_000 + number * 190_000).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${number.toString(16).padStart(12, '0')}`
}

/** A statement that is no query of Kysely. */
function statement(sql: string, ...parameters: readonly unknown[]) {
  return { compile: () => CompiledQuery.raw(sql, [...parameters]) }
}

type Query = Parameters<Explain>[0]

test('on PostgreSQL everything but lists of verdicts is found by indexes, too', { skip: noPostgres }, async (t) => {
  const explain = await postgresPlanner(t, await startPostgres(t), keyRows)

  /** Holds a query to the indexes that find its rows, and to the most rows that it may look at. */
  async function holds(what: string, query: Query, indexes: readonly string[], most: number, as?: RunAs) {
    const work = await explain(query, as)
    const told = `${what}: ${JSON.stringify({ ...work, indexes: [...work.indexes] })}`
    t.same([...work.indexes].sort(), [...indexes].sort(), told)
    t.same(work.scanned, [], told)
    t.notOk(work.parallel, told)
    t.ok(work.touched > 0 && work.touched <= most && work.sorted <= most, told)
  }

  const all = { tenant: '*' }
  const ids = [1, 20_000, 39_999].map(idOf)
  const [id = ''] = ids
  await holds('a verdict', (db) => verdictQuery(db, 'default', id), ['verdicts_pkey'], 1)
  await holds('records', (db) => recordsQuery(db, 'default', ids), ['verdicts_pkey'], 3)
  const digests = ['sha256:d7', 'sha256:d19999']
  await holds('fact documents', (db) => documentsQuery(db, 'default', digests), ['fact_documents_pkey'], 2)
  await holds('a policy', (db) => policyBodyQuery(db, 'sha256:p7'), ['policy_bodies_pkey'], 1)

  const ofKey = ['idempotency_keys_pkey', 'verdicts_pkey']
  await holds('an idempotency key', (db) => idempotentQuery(db, 'default', 'key-19999'), ofKey, 2)
  const upkeep = { tenant: '*', begin: beginWriting }
  const byAge = ['idempotency_keys_by_age', 'idempotency_keys_pkey']
  await holds('old idempotency keys', () => statement(purgeKeysSql, 100_000, 2000), byAge, 2000, upkeep)
  await holds('an API key', (db) => apiKeyQuery(db, 'key-7'), ['api_keys_pkey'], 1, all)
  await holds('API keys', (db) => apiKeysQuery(db, 'tenant-7'), ['api_keys_by_tenant'], 40, { tenant: 'tenant-7' })

  await holds('entries', (db) => entriesQuery(db, 'default', 20_000, 500), ['chain_pkey'], 500)
  await holds('changes', (db) => changesQuery(db, 'default', 20_000, 51), ['chain_pkey', 'verdicts_pkey'], 102)
  await holds('checkpoints', (db) => checkpointsQuery(db, 'default', 1000, 51), ['checkpoints_pkey'], 51)
  await holds(
    'coverage',
    (db) => ({ compile: () => coverageQuery().compile(db) }),
    ['chain_pkey', 'checkpoints_pkey'],
    40,
    all,
  )
  // A step for each tenant, and one row of each partition of the time, which is no row when it is an average of tenants.
  const newest: Query = (db) => ({ compile: () => newestQuery(idOf(20_000), 'g').compile(db) })
  await holds('the newest id', newest, ['chain_pkey'], 40, all)
  await holds('an entry', (db) => entryQuery(db, 'default', id), ['chain_tenant_verdict_id_key'], 1)
  const checkpoint = { schema: 'imagegate.checkpoint/1', tenant: 'default', from: 20_001, sequence: 20_100 } as const
  const signed = { ...checkpoint, link: '', root: '', at: '', key: '', signature: '' }
  await holds('links', (db) => linksQuery(db, signed), ['chain_pkey'], 100)

  const candidate = 'sha256:c1'
  await holds('counts of a candidate', (db) => countsQuery(db, 'default', candidate), ['shadow_counts_pkey'], 90)
  const change = { from: 'ready', to: 'not_ready' }
  const ofRule = ['shadow_differences_pkey', 'shadow_evaluations_pkey']
  // Few differ in this rule, and a sixth in that one.
  const [rare, common] = ['linux.rule-150', 'linux.rule-0']
  const lists: readonly (readonly [ShadowFilter, readonly string[], number])[] = [
    [{}, ['shadow_evaluations_differing'], 60],
    [{ change }, ['shadow_evaluations_by_change'], 60],
    [{ rule: rare }, ofRule, 120],
    [{ rule: rare, change }, ofRule, 200],
  ]
  for (const [filter, indexes, most] of lists) {
    for (const before of [undefined, idOf(15_001)]) {
      const request = { tenant: 'default', candidate, filter, limit: 51, before }
      await holds(`differences ${JSON.stringify({ filter, before })}`, (db) => shadowQuery(db, request), indexes, most)
    }
  }
  const both = { tenant: 'default', candidate, filter: { rule: common, change }, limit: 51 }
  const ofFloor = ['shadow_differences_pkey']
  await holds('a floor', (db) => shadowFloorQuery(db, both, common), ofFloor, examined + 5)
  const ofBoth = ['shadow_differences_pkey', 'shadow_evaluations_by_change']
  const fromFloor: Query = async (db) => {
    const floor = (await shadowFloorQuery(db, both, common).executeTakeFirstOrThrow()).verdict_id
    return shadowQuery(db, { ...both, floor })
  }
  await holds('differences from a floor', fromFloor, ofBoth, 2 * examined)

  const expiring = { tenant: '*', begin: beginExpiry }
  const expiry = statement(expirySql, '', '', null, idOf(30_000), expiryPortion)
  await holds('facts to remove', () => expiry, ['fact_documents_pkey', 'verdicts_by_document'], 5000, expiring)
})
