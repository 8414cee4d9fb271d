import { type Expression, expressionBuilder, type Kysely, type SqlBool, sql } from 'kysely'
import { recordedText } from './identity.ts'
import { containing, requireSearchText } from './image-text.ts'
import type { Driving } from './list-driving.ts'
import { idBounds, type ListRequest, leftOpen } from './list-request.ts'
import type { VerdictFilter } from './store.ts'
import type { AuditTables } from './tables.ts'
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
 * The query behind a list: one index drives it, newest id first, and nothing is sorted. Without a driving one, or where it
 * settles all that is asked for, that is an index of the verdicts, of the database's choice.
 */
export function listQuery(db: Kysely<AuditTables>, request: ListRequest, driving?: Driving) {
  const { dialect, filter, limit } = request
  const alone = driving?.own === true && leftOpen(filter, driving.settled).length === 0
  if (driving === undefined || alone) {
    return db
      .selectFrom('verdicts')
      .select(summaryColumns)
      .where(conditions(request))
      .where(idBounds(request, 'verdicts.id'))
      .orderBy('verdicts.id', 'desc')
      .limit(limit)
  }
  const rest = { ...request, filter: without(filter, driving.settled) }
  const found = db.selectFrom(driving.query.as('found'))
  if (dialect === 'postgres') {
    // Statistics tell little about text, and nothing about the parts of a table as a whole: with its own limit a verdict is looked up for each row that was found.
    const verdict = eb
      .selectFrom('verdicts')
      .select(summaryColumns)
      .where(conditions(rest))
      .where(idBounds(request, 'verdicts.id'))
      .whereRef('verdicts.id', '=', sql.ref('found.id'))
      .limit(1)
    return found
      .innerJoinLateral(verdict.as('verdicts'), (join) => join.onTrue())
      .select(summaryColumns)
      .orderBy('found.place', 'desc')
      .limit(limit)
  }
  // A cross join keeps the order on SQLite.
  return found
    .crossJoin('verdicts')
    .select(summaryColumns)
    .whereRef('verdicts.id', '=', 'found.id')
    .where(idBounds(request, 'verdicts.id'))
    .where(conditions(rest))
    .orderBy('found.place', 'desc')
    .limit(limit)
}

function without(filter: VerdictFilter, settled: readonly string[]): VerdictFilter {
  return Object.fromEntries(Object.entries(filter).filter(([name]) => !settled.includes(name)))
}

function conditions(request: ListRequest): Expression<SqlBool> {
  const { tenant, filter } = request
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
    ...(missingFact === undefined ? [] : [lacks(missingFact, request)]),
    ...(failedRule === undefined ? [] : [fails(failedRule, request)]),
    ...(failedRule === undefined && (severity !== undefined || effect !== undefined) ? [hasKind(request)] : []),
  ])
}

function contains(name: string): Expression<SqlBool> {
  return sql<SqlBool>`lower(image_name) LIKE ${containing(name)} ESCAPE '\\'`
}

// The bounds of the ids are repeated where a verdict is looked up elsewhere: they leave few of the parts to be looked into.

function fails(rule: string, request: ListRequest): Expression<SqlBool> {
  const { severity, effect } = request.filter
  return eb.exists(
    eb
      .selectFrom('findings')
      .select('findings.verdict_id')
      .whereRef('findings.tenant', '=', 'verdicts.tenant')
      .where('findings.rule', '=', rule)
      .where('findings.result', '=', 'fail')
      .whereRef('findings.verdict_id', '=', 'verdicts.id')
      .where(idBounds(request, 'findings.verdict_id'))
      .where(eb.and({ ...(severity !== undefined && { severity }), ...(effect !== undefined && { effect }) })),
  )
}

function lacks(pointer: string, request: ListRequest): Expression<SqlBool> {
  return eb.exists(
    eb
      .selectFrom('missing_facts')
      .select('missing_facts.verdict_id')
      .whereRef('missing_facts.tenant', '=', 'verdicts.tenant')
      .where('missing_facts.pointer', '=', pointer)
      .whereRef('missing_facts.verdict_id', '=', 'verdicts.id')
      .where(idBounds(request, 'missing_facts.verdict_id')),
  )
}

function hasKind(request: ListRequest): Expression<SqlBool> {
  const { severity = '', effect = '' } = request.filter
  return eb.exists(
    eb
      .selectFrom('finding_kinds')
      .select('finding_kinds.verdict_id')
      .whereRef('finding_kinds.tenant', '=', 'verdicts.tenant')
      .where('finding_kinds.severity', '=', severity)
      .where('finding_kinds.effect', '=', effect)
      .whereRef('finding_kinds.verdict_id', '=', 'verdicts.id')
      .where(idBounds(request, 'finding_kinds.verdict_id')),
  )
}
