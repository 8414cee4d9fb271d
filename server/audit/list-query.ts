import { type Expression, expressionBuilder, type Kysely, type SqlBool, sql } from 'kysely'
import { recordedText } from './identity.ts'
import { containing, requireSearchText } from './image-text.ts'
import { type Driving, drivingQuery } from './list-driving.ts'
import { idBounds, type ListRequest } from './list-request.ts'
import type { VerdictFilter } from './store.ts'
import type { AuditTables } from './tables.ts'
import type { TextSearch } from './text-search.ts'
import { firstMillisecond } from './times.ts'

/** The columns of a summary. */
export const summaryColumns = [
  'verdicts.id',
  'recorded_at',
  'outcome',
  'family',
  'policy_version',
  'policy_digest',
  'os_type',
  'os_id',
  'os_version',
  'image_name',
  'image_digest',
  'facts_digest',
  'document_digest',
  'record_digest',
] as const

const eb = expressionBuilder<AuditTables, 'verdicts' | 'findings' | 'missing_facts' | 'finding_kinds'>()

/**
 * The query behind a list: one index drives it, newest id first, and nothing is sorted. What drives is the narrowest
 * filter: an image's name or digest or a request's id, else what is known to be rare, else what drivingQuery takes, else
 * the database's choice. A cross join keeps that order on SQLite; PostgreSQL comes to the same by its statistics. A text in
 * names needs its search, unless something rare drives.
 */
export function listQuery(db: Kysely<AuditTables>, request: ListRequest, search?: TextSearch, rare?: Driving) {
  const driving = namesOne(request.filter) ? undefined : (rare ?? drivingQuery(request, search))
  if (driving === undefined) {
    return db
      .selectFrom('verdicts')
      .select(summaryColumns)
      .where(conditions(request))
      .where(idBounds(request, 'verdicts.id'))
      .orderBy('verdicts.id', 'desc')
      .limit(request.limit)
  }
  const rest = { ...request, filter: without(request.filter, driving.settled) }
  const found = db.selectFrom(driving.query.as('found'))
  if (driving.oneByOne === true) {
    // Statistics tell little about text, and nothing about the parts of a table as a whole: with its own limit a verdict is looked up for each row that was found.
    const verdict = eb
      .selectFrom('verdicts')
      .select(summaryColumns)
      .where(conditions(rest))
      .whereRef('verdicts.id', '=', sql.ref('found.id'))
      .limit(1)
    return found
      .innerJoinLateral(verdict.as('verdicts'), (join) => join.onTrue())
      .select(summaryColumns)
      .orderBy('found.place', 'desc')
      .limit(request.limit)
  }
  return found
    .crossJoin('verdicts')
    .select(summaryColumns)
    .whereRef('verdicts.id', '=', 'found.id')
    .where(idBounds(request, 'verdicts.id'))
    .where(conditions(rest))
    .orderBy('found.place', 'desc')
    .limit(request.limit)
}

/** Whether a filter names one image or one request, of which there are few verdicts. */
export function namesOne({ imageName, imageDigest, requestId }: VerdictFilter): boolean {
  return imageName !== undefined || imageDigest !== undefined || requestId !== undefined
}

function without(filter: VerdictFilter, settled: readonly string[]): VerdictFilter {
  return Object.fromEntries(Object.entries(filter).filter(([name]) => !settled.includes(name)))
}

function conditions({ tenant, filter }: ListRequest): Expression<SqlBool> {
  const { from, to, failedRule, missingFact, severity, effect, text } = filter
  return eb.and([
    eb.and({
      'verdicts.tenant': tenant,
      ...(filter.outcome !== undefined && { outcome: filter.outcome }),
      ...(filter.family !== undefined && { family: filter.family }),
      ...(filter.osType !== undefined && { os_type: filter.osType }),
      ...(filter.osId !== undefined && { os_id: filter.osId }),
      ...(filter.imageName !== undefined && { image_name: filter.imageName }),
      ...(filter.imageDigest !== undefined && { image_digest: filter.imageDigest }),
      ...(filter.policyVersion !== undefined && { policy_version: filter.policyVersion }),
      ...(filter.caller !== undefined && { caller: filter.caller }),
      ...(filter.requestId !== undefined && { request_id: filter.requestId }),
    }),
    ...(from === undefined ? [] : [eb('recorded_at', '>=', recordedText(firstMillisecond(from)))]),
    ...(to === undefined ? [] : [eb('recorded_at', '<', recordedText(firstMillisecond(to)))]),
    ...(text === undefined ? [] : [contains(requireSearchText(text))]),
    ...(missingFact === undefined ? [] : [lacks(missingFact)]),
    ...(failedRule === undefined ? [] : [fails(failedRule, filter)]),
    ...(failedRule === undefined && (severity !== undefined || effect !== undefined) ? [hasKind(filter)] : []),
  ])
}

function contains(name: string): Expression<SqlBool> {
  return sql<SqlBool>`lower(image_name) LIKE ${containing(name)} ESCAPE '\\'`
}

function fails(rule: string, { severity, effect }: VerdictFilter): Expression<SqlBool> {
  return eb.exists(
    eb
      .selectFrom('findings')
      .select('findings.verdict_id')
      .whereRef('findings.tenant', '=', 'verdicts.tenant')
      .where('findings.rule', '=', rule)
      .where('findings.result', '=', 'fail')
      .whereRef('findings.verdict_id', '=', 'verdicts.id')
      .where(eb.and({ ...(severity !== undefined && { severity }), ...(effect !== undefined && { effect }) })),
  )
}

function lacks(pointer: string): Expression<SqlBool> {
  return eb.exists(
    eb
      .selectFrom('missing_facts')
      .select('missing_facts.verdict_id')
      .whereRef('missing_facts.tenant', '=', 'verdicts.tenant')
      .where('missing_facts.pointer', '=', pointer)
      .whereRef('missing_facts.verdict_id', '=', 'verdicts.id'),
  )
}

function hasKind({ severity = '', effect = '' }: VerdictFilter): Expression<SqlBool> {
  return eb.exists(
    eb
      .selectFrom('finding_kinds')
      .select('finding_kinds.verdict_id')
      .whereRef('finding_kinds.tenant', '=', 'verdicts.tenant')
      .where('finding_kinds.severity', '=', severity)
      .where('finding_kinds.effect', '=', effect)
      .whereRef('finding_kinds.verdict_id', '=', 'verdicts.id'),
  )
}
