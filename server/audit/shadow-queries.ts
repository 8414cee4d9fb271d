import { type Expression, expressionBuilder, type Kysely, type SqlBool } from 'kysely'
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
}

function conditions({ tenant, candidate, filter: { change } }: ShadowRequest): Expression<SqlBool> {
  return eb.and({
    'shadow_evaluations.tenant': tenant,
    'shadow_evaluations.candidate_digest': candidate,
    ...(change !== undefined && { from_outcome: change.from, to_outcome: change.to }),
  })
}

/** The query behind a shadow list: one index drives it, newest verdict first, and nothing is sorted. */
export function shadowQuery(db: Kysely<AuditTables>, request: ShadowRequest) {
  const { tenant, candidate, filter, limit, before } = request
  if (filter.rule !== undefined) {
    return db
      .selectFrom('shadow_differences')
      .crossJoin('shadow_evaluations')
      .select(columns)
      .where('shadow_differences.tenant', '=', tenant)
      .where('shadow_differences.candidate_digest', '=', candidate)
      .where('shadow_differences.rule', '=', filter.rule)
      .where(before === undefined ? eb.and([]) : eb('shadow_differences.verdict_id', '<', before))
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

/** One page of shadow evaluations, newest verdict first, of at most `limit` (1 to 500; what lies outside counts as the nearest). */
export async function listShadows(db: Kysely<AuditTables>, request: ShadowRequest): Promise<ShadowPage> {
  const size = Math.min(Math.max(Math.trunc(request.limit), 1), maxPage)
  const rows = await shadowQuery(db, { ...request, limit: size + 1 }).execute()
  const shadows = rows.slice(0, size).map((row) => ({
    verdict: row.verdict_id,
    policyDigest: row.policy_digest,
    from: row.from_outcome,
    to: row.to_outcome,
    differences: row.differences,
  }))
  const last = shadows.at(-1)
  return rows.length > size && last !== undefined ? { shadows, next: last.verdict } : { shadows }
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
