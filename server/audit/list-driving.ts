import { type AliasableExpression, type Expression, expressionBuilder, type SqlBool, sql } from 'kysely'
import { textEpoch, timeOfId } from './identity.ts'
import { idBounds, idRange, type ListRequest } from './list-request.ts'
import type { VerdictFilter } from './store.ts'
import type { AuditTables } from './tables.ts'
import type { TextSearch } from './text-search.ts'

/** The ids of a list, in the order of their places, and the filters that hold for all of them. */
export interface Driving {
  readonly query: AliasableExpression<{ readonly id: string; readonly place: string | number }>
  readonly settled: readonly (keyof VerdictFilter)[]
  /** Whether a verdict is looked up for each id, whatever the database's statistics make of it. */
  readonly oneByOne?: boolean
}

const eb = expressionBuilder<AuditTables, never>()

/** What drives a list that names no one image and no request: text in names, a failed rule, a missing fact, a kind of finding. */
export function drivingQuery(request: ListRequest, search: TextSearch | undefined): Driving | undefined {
  if (search === undefined) return drivingQueries(request)[0]
  return 'phrase' in search ? byPhrase(request, search.phrase) : byTrigrams(request, search)
}

/** Each filter but a text that can drive a list by rows of its own, first the one that does when none is known to be rare. */
export function drivingQueries(request: ListRequest): readonly Driving[] {
  const { failedRule, missingFact, severity, effect } = request.filter
  const ofKind = failedRule === undefined && (severity !== undefined || effect !== undefined)
  return [
    ...(failedRule === undefined ? [] : [byRule(request, failedRule)]),
    ...(missingFact === undefined ? [] : [byFact(request, missingFact)]),
    ...(ofKind ? [byKind(request)] : []),
  ]
}

const columns = [
  ['outcome', 'outcome'],
  ['family', 'family'],
  ['osType', 'os_type'],
  ['osId', 'os_id'],
  ['policyVersion', 'policy_version'],
  ['caller', 'caller'],
] as const

/** Each filter that can drive a list by an index of the verdicts themselves. */
export function columnQueries(request: ListRequest): readonly Driving[] {
  return columns.flatMap(([name, column]): readonly Driving[] => {
    const value = request.filter[name]
    if (value === undefined) return []
    return [{ query: ofTenant(request).where(column, '=', value), settled: [name] }]
  })
}

/** All verdicts of the tenant and the times that are asked for. */
export function tenantQuery(request: ListRequest): Driving {
  return { query: ofTenant(request), settled: [] }
}

function ofTenant(request: ListRequest) {
  return eb
    .selectFrom('verdicts')
    .select(['verdicts.id as id', 'verdicts.id as place'])
    .where('verdicts.tenant', '=', request.tenant)
    .where(idBounds(request, 'verdicts.id'))
}

function byRule(request: ListRequest, rule: string): Driving {
  const { severity, effect } = request.filter
  const query = eb
    .selectFrom('findings')
    .select(['findings.verdict_id as id', 'findings.verdict_id as place'])
    .where('findings.tenant', '=', request.tenant)
    .where('findings.rule', '=', rule)
    .where('findings.result', '=', 'fail')
    .where(({ and }) => and({ ...(severity !== undefined && { severity }), ...(effect !== undefined && { effect }) }))
    .where(idBounds(request, 'findings.verdict_id'))
  return { query, settled: ['failedRule', 'severity', 'effect'] }
}

function byFact(request: ListRequest, pointer: string): Driving {
  const query = eb
    .selectFrom('missing_facts')
    .select(['missing_facts.verdict_id as id', 'missing_facts.verdict_id as place'])
    .where('missing_facts.tenant', '=', request.tenant)
    .where('missing_facts.pointer', '=', pointer)
    .where(idBounds(request, 'missing_facts.verdict_id'))
  return { query, settled: ['missingFact'] }
}

function byKind(request: ListRequest): Driving {
  const { severity = '', effect = '' } = request.filter
  const query = eb
    .selectFrom('finding_kinds')
    .select(['finding_kinds.verdict_id as id', 'finding_kinds.verdict_id as place'])
    .where('finding_kinds.tenant', '=', request.tenant)
    .where('finding_kinds.severity', '=', severity)
    .where('finding_kinds.effect', '=', effect)
    .where(idBounds(request, 'finding_kinds.verdict_id'))
  return { query, settled: ['severity', 'effect'] }
}

/** SQLite's index gives its rows by rowid alone, whose upper bits are the time in the id. */
function byPhrase(request: ListRequest, phrase: string): Driving {
  const { first, end } = idRange(request)
  const rowid = (id: string, later: number) => sql<number>`CAST(${timeOfId(id) - textEpoch + later} AS INTEGER) << 22`
  const query = eb
    .selectFrom('image_texts')
    .select(['image_texts.verdict_id as id', 'image_texts.rowid as place'])
    .where(sql<SqlBool>`image_texts MATCH ${phrase}`)
    .where('image_texts.tenant', '=', request.tenant)
    .where(idBounds(request, 'image_texts.verdict_id'))
    .$if(first !== undefined, (all) => all.where('image_texts.rowid', '>=', rowid(first ?? '', 0)))
    .$if(end !== undefined, (all) => all.where('image_texts.rowid', '<', rowid(end ?? '', 1)))
  return { query, settled: ['text'] }
}

/** The rarest trigram drives; the others are looked up, and LIKE then decides whether they stand side by side. */
function byTrigrams(
  request: ListRequest,
  { trigrams: [rarest, ...others] }: Extract<TextSearch, { trigrams: unknown }>,
): Driving {
  // A subquery that gives a value is asked row by row; EXISTS could become a join that reads and sorts all.
  const alsoHas = (trigram: string): Expression<SqlBool> =>
    sql<SqlBool>`(SELECT verdict_id FROM image_trigrams AS other WHERE other.tenant = ${request.tenant}
      AND other.trigram = ${trigram} AND other.verdict_id = image_trigrams.verdict_id LIMIT 1) IS NOT NULL`
  const query = eb
    .selectFrom('image_trigrams')
    .select(['image_trigrams.verdict_id as id', 'image_trigrams.verdict_id as place'])
    .where('image_trigrams.tenant', '=', request.tenant)
    .where('image_trigrams.trigram', '=', rarest)
    .where(idBounds(request, 'image_trigrams.verdict_id'))
    .where((all) => all.and(others.map(alsoHas)))
  return { query, settled: [], oneByOne: true }
}
