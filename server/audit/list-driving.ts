import { type AliasableExpression, expressionBuilder, type SqlBool, sql } from 'kysely'
import { textEpoch, timeOfId } from './identity.ts'
import { requireSearchText, trigramsOf } from './image-text.ts'
import { idBounds, idRange, type ListRequest } from './list-request.ts'
import type { VerdictFilter } from './store.ts'
import type { AuditTables } from './tables.ts'

/** The ids of a list, in the order of their places, and the filters that hold for all of them. */
export interface Driving {
  readonly query: AliasableExpression<{ readonly id: string; readonly place: string | number }>
  readonly settled: readonly (keyof VerdictFilter)[]
  /** Whether it is an index of the verdicts themselves, so that nothing need be joined to it. */
  readonly own?: true
  /** Whether its rows may be other tenants'. */
  readonly shared?: true
}

const eb = expressionBuilder<AuditTables, never>()

const columns = {
  imageDigest: 'image_digest',
  imageName: 'image_name',
  requestId: 'request_id',
  outcome: 'outcome',
  family: 'family',
  osType: 'os_type',
  osId: 'os_id',
  policyVersion: 'policy_version',
  caller: 'caller',
} as const

/** Trigrams of a text of which one may drive: to plan the looking at each takes more than half a millisecond. */
const considered = 4

/**
 * What can drive a list, each by an index of its own, first what is usually the narrowest: an image or a request, a text in
 * names, a failed rule, a missing fact, a kind of finding, another column. Throws OPTION_INVALID for a text that is too short.
 */
export function drivings(request: ListRequest): readonly Driving[] {
  const { failedRule, missingFact, severity, effect, text } = request.filter
  const ofKind = failedRule === undefined && (severity !== undefined || effect !== undefined)
  return [
    ...ofColumns(request, 'imageDigest', 'imageName', 'requestId'),
    ...(text === undefined ? [] : byText(request, requireSearchText(text))),
    ...(failedRule === undefined ? [] : [byRule(request, failedRule)]),
    ...(missingFact === undefined ? [] : [byFact(request, missingFact)]),
    ...(ofKind ? [byKind(request)] : []),
    ...ofColumns(request, 'caller', 'policyVersion', 'osId', 'osType', 'family', 'outcome'),
  ]
}

function ofColumns(request: ListRequest, ...names: readonly (keyof typeof columns)[]): readonly Driving[] {
  return names.flatMap((name): readonly Driving[] => {
    const value = request.filter[name]
    if (value === undefined) return []
    return [{ query: ofTenant(request).where(columns[name], '=', value), settled: [name], own: true }]
  })
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

/** On SQLite the tenant's own verdicts are the other choice: the index of text holds the names of all tenants. */
function byText(request: ListRequest, text: string): readonly Driving[] {
  if (request.dialect === 'sqlite')
    return [byPhrase(request, text), { query: ofTenant(request), settled: [], own: true }]
  const trigrams = trigramsOf(text)
  const step = Math.ceil(trigrams.length / considered)
  return trigrams.filter((_, index) => index % step === 0).map((trigram) => byTrigram(request, trigram))
}

/** SQLite's index gives its rows by rowid alone, whose upper bits are the time in the id. */
function byPhrase(request: ListRequest, text: string): Driving {
  const { first, end } = idRange(request)
  const rowid = (id: string, later: number) => sql<number>`CAST(${timeOfId(id) - textEpoch + later} AS INTEGER) << 22`
  const query = eb
    .selectFrom('image_texts')
    .select(['image_texts.verdict_id as id', 'image_texts.rowid as place'])
    .where(sql<SqlBool>`image_texts MATCH ${`"${text.replaceAll('"', '""')}"`}`)
    .$if(first !== undefined, (all) => all.where('image_texts.rowid', '>=', rowid(first ?? '', 0)))
    .$if(end !== undefined, (all) => all.where('image_texts.rowid', '<', rowid(end ?? '', 1)))
  return { query, settled: ['text'], shared: true }
}

/** LIKE decides whether the text's other trigrams are there, side by side. */
function byTrigram(request: ListRequest, trigram: string): Driving {
  const query = eb
    .selectFrom('image_trigrams')
    .select(['image_trigrams.verdict_id as id', 'image_trigrams.verdict_id as place'])
    .where('image_trigrams.tenant', '=', request.tenant)
    .where('image_trigrams.trigram', '=', trigram)
    .where(idBounds(request, 'image_trigrams.verdict_id'))
  return { query, settled: [] }
}
