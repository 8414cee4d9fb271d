import { type Expression, expressionBuilder, type Kysely, type SqlBool } from 'kysely'
import { idFloor, maxSkew, recordedText } from './identity.ts'
import type { ListPosition, VerdictFilter } from './store.ts'
import type { AuditTables } from './tables.ts'
import { firstMillisecond } from './times.ts'

/** What a list asks for. */
export interface ListRequest {
  readonly tenant: string
  readonly filter: VerdictFilter
  /** Greatest number of rows. */
  readonly limit: number
  readonly position?: ListPosition | undefined
}

type IdColumn = 'verdicts.id' | 'findings.verdict_id' | 'missing_facts.verdict_id'

const columns = [
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

const eb = expressionBuilder<AuditTables, 'verdicts' | 'findings' | 'missing_facts'>()

/**
 * The query behind a list: one index drives it, newest id first, and nothing is sorted. What drives is the narrowest
 * filter: an image's name or digest, else a failed rule, else a missing fact, else the database's choice. A cross join
 * keeps that order on SQLite; PostgreSQL comes to the same by its statistics.
 */
export function listQuery(db: Kysely<AuditTables>, request: ListRequest) {
  const { failedRule, missingFact, imageName, imageDigest } = request.filter
  const oneImage = imageName !== undefined || imageDigest !== undefined
  if (failedRule !== undefined && !oneImage) {
    return db
      .selectFrom('findings')
      .crossJoin('verdicts')
      .select(columns)
      .where('findings.tenant', '=', request.tenant)
      .where('findings.rule', '=', failedRule)
      .where('findings.result', '=', 'fail')
      .where(idBounds(request, 'findings.verdict_id'))
      .whereRef('verdicts.id', '=', 'findings.verdict_id')
      .where(verdictConditions(request))
      .where(missingFact === undefined ? eb.and([]) : lacks(missingFact))
      .orderBy('findings.verdict_id', 'desc')
      .limit(request.limit)
  }
  if (missingFact !== undefined && !oneImage) {
    return db
      .selectFrom('missing_facts')
      .crossJoin('verdicts')
      .select(columns)
      .where('missing_facts.tenant', '=', request.tenant)
      .where('missing_facts.pointer', '=', missingFact)
      .where(idBounds(request, 'missing_facts.verdict_id'))
      .whereRef('verdicts.id', '=', 'missing_facts.verdict_id')
      .where(verdictConditions(request))
      .orderBy('missing_facts.verdict_id', 'desc')
      .limit(request.limit)
  }
  return db
    .selectFrom('verdicts')
    .select(columns)
    .where(verdictConditions(request))
    .where(idBounds(request, 'verdicts.id'))
    .where(failedRule === undefined ? eb.and([]) : fails(failedRule))
    .where(missingFact === undefined ? eb.and([]) : lacks(missingFact))
    .orderBy('verdicts.id', 'desc')
    .limit(request.limit)
}

function verdictConditions({ tenant, filter }: ListRequest): Expression<SqlBool> {
  return eb.and({
    'verdicts.tenant': tenant,
    ...(filter.outcome !== undefined && { outcome: filter.outcome }),
    ...(filter.family !== undefined && { family: filter.family }),
    ...(filter.osType !== undefined && { os_type: filter.osType }),
    ...(filter.osId !== undefined && { os_id: filter.osId }),
    ...(filter.imageName !== undefined && { image_name: filter.imageName }),
    ...(filter.imageDigest !== undefined && { image_digest: filter.imageDigest }),
    ...(filter.policyVersion !== undefined && { policy_version: filter.policyVersion }),
  })
}

/** A range of ids that holds every id of the times asked for; recorded_at then decides. Lower-case hex sorts as ids do. */
function idBounds({ filter, position }: ListRequest, column: IdColumn): Expression<SqlBool> {
  const conditions: Expression<SqlBool>[] = []
  if (filter.from !== undefined) {
    const from = firstMillisecond(filter.from)
    conditions.push(eb(column, '>=', idFloor(from - maxSkew)), eb('recorded_at', '>=', recordedText(from)))
  }
  const ends: string[] = position === undefined ? [] : [position.before]
  if (filter.to !== undefined) {
    const to = firstMillisecond(filter.to)
    ends.push(idFloor(to + maxSkew))
    conditions.push(eb('recorded_at', '<', recordedText(to)))
  }
  const [end] = ends.sort()
  if (end !== undefined) conditions.push(eb(column, '<', end))
  if (position !== undefined && (end === undefined || position.upTo < end)) {
    conditions.push(eb(column, '<=', position.upTo))
  }
  return eb.and(conditions)
}

function fails(rule: string): Expression<SqlBool> {
  return eb.exists(
    eb
      .selectFrom('findings')
      .select('findings.verdict_id')
      .whereRef('findings.tenant', '=', 'verdicts.tenant')
      .where('findings.rule', '=', rule)
      .where('findings.result', '=', 'fail')
      .whereRef('findings.verdict_id', '=', 'verdicts.id'),
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
