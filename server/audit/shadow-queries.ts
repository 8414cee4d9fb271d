import { type Expression, expressionBuilder, type Kysely, type SqlBool } from 'kysely'
import { examined } from './list-reach.ts'
import { maxPage } from './queries.ts'
import type { ShadowCount, ShadowFilter, ShadowPage } from './store.ts'
import type { AuditTables } from './tables.ts'

const eb = expressionBuilder<AuditTables, 'shadow_evaluations' | 'shadow_differences'>()

const columns = ['shadow_evaluations.verdict_id', 'policy_digest', 'from_outcome', 'to_outcome', 'differences'] as const

/** What a shadow list asks for. */
export interface ShadowRequest {
  readonly tenant: string
  readonly candidate: string
  readonly filter: ShadowFilter
  /** Greatest number of rows. */
  readonly limit: number
  /** Only ids below. */
  readonly before?: string | undefined
  /** Only ids from here on. */
  readonly floor?: string | undefined
}

function conditions({ tenant, candidate, filter: { change } }: ShadowRequest): Expression<SqlBool> {
  return eb.and({
    'shadow_evaluations.tenant': tenant,
    'shadow_evaluations.candidate_digest': candidate,
    ...(change !== undefined && { from_outcome: change.from, to_outcome: change.to }),
  })
}

function ofRule(db: Kysely<AuditTables>, { tenant, candidate, before }: ShadowRequest, rule: string) {
  return db
    .selectFrom('shadow_differences')
    .where('shadow_differences.tenant', '=', tenant)
    .where('shadow_differences.candidate_digest', '=', candidate)
    .where('shadow_differences.rule', '=', rule)
    .where(before === undefined ? eb.and([]) : eb('shadow_differences.verdict_id', '<', before))
}

/** The query that tells the last row of a rule that one page looks at. */
export function shadowFloorQuery(db: Kysely<AuditTables>, request: ShadowRequest, rule: string) {
  return ofRule(db, request, rule)
    .select('shadow_differences.verdict_id')
    .orderBy('shadow_differences.verdict_id', 'desc')
    .limit(1)
    .offset(examined - 1)
}

/** No index holds a rule and a change, and of a common rule and a common change that hardly meet all would be looked through. */
async function floorOf(db: Kysely<AuditTables>, request: ShadowRequest): Promise<string | undefined> {
  const { rule, change } = request.filter
  if (rule === undefined || change === undefined) return undefined
  return (await shadowFloorQuery(db, request, rule).executeTakeFirst())?.verdict_id
}

/** The query behind a shadow list: one index drives it, newest verdict first, and nothing is sorted. */
export function shadowQuery(db: Kysely<AuditTables>, request: ShadowRequest) {
  const { filter, limit, before, floor } = request
  if (filter.rule !== undefined) {
    return ofRule(db, request, filter.rule)
      .crossJoin('shadow_evaluations')
      .select(columns)
      .where(floor === undefined ? eb.and([]) : eb('shadow_differences.verdict_id', '>=', floor))
      .whereRef('shadow_evaluations.verdict_id', '=', 'shadow_differences.verdict_id')
      .where(conditions(request))
      .orderBy('shadow_differences.verdict_id', 'desc')
      .limit(limit)
  }
  return (
    db
      .selectFrom('shadow_evaluations')
      .select(columns)
      .where(conditions(request))
      // Of a change of outcome all are of interest, and of the rest what differs; the literal lets the index serve it.
      .where(filter.change === undefined ? eb('differing', '>', eb.lit(0)) : eb.and([]))
      .where(before === undefined ? eb.and([]) : eb('shadow_evaluations.verdict_id', '<', before))
      .orderBy('shadow_evaluations.verdict_id', 'desc')
      .limit(limit)
  )
}

/**
 * One page of shadow evaluations, newest verdict first, of at most `limit` (1 to 500; what lies outside counts as the
 * nearest). It ends early where a rule and a change hardly meet.
 */
export async function listShadows(db: Kysely<AuditTables>, request: ShadowRequest): Promise<ShadowPage> {
  const size = Math.min(Math.max(Math.trunc(request.limit), 1), maxPage)
  const floor = await floorOf(db, request)
  const rows = await shadowQuery(db, { ...request, limit: size + 1, floor }).execute()
  const shadows = rows.slice(0, size).map((row) => ({
    verdict: row.verdict_id,
    policyDigest: row.policy_digest,
    from: row.from_outcome,
    to: row.to_outcome,
    differences: row.differences,
  }))
  const next = rows.length > size ? shadows.at(-1)?.verdict : floor
  return { shadows, ...(next !== undefined && { next }) }
}

/** The counts behind a candidate's query, a row for each kind of change. */
export function countsQuery(db: Kysely<AuditTables>, tenant: string, candidate: string) {
  return db
    .selectFrom('shadow_counts')
    .select(['rule', 'from_value', 'to_value', 'evaluations'])
    .where('tenant', '=', tenant)
    .where('candidate_digest', '=', candidate)
    .orderBy('rule')
    .orderBy('from_value')
    .orderBy('to_value')
}

/** How often a candidate differed, by outcome and by rule. */
export async function countShadows(
  db: Kysely<AuditTables>,
  tenant: string,
  candidate: string,
): Promise<readonly ShadowCount[]> {
  const rows = await countsQuery(db, tenant, candidate).execute()
  return rows.map(({ rule, from_value: from, to_value: to, evaluations }) => {
    return { ...(rule === '' ? {} : { rule }), from, to, evaluations }
  })
}
