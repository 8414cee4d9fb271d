import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { dayStatistics, frequencyStatistics, periodOf } from '../audit/statistics.ts'
import { ImagegateError } from '../errors.ts'
import { families } from '../policy/families.ts'
import { callerOf } from './caller.ts'
import { answers } from './components.ts'
import type { Deps } from './deps.ts'
import { factPointer, ruleId, upTo500 } from './list-parts.ts'
import { component } from './schema-parts.ts'
import type { PartSchema } from './validation.ts'

const day = { type: 'string', pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', maxLength: 10 }
const period = {
  from: { description: 'The first day, in UTC; 30 days before to when left out.', ...day, examples: ['2026-11-01'] },
  to: { description: 'The day after the last one; tomorrow when left out.', ...day, examples: ['2026-12-01'] },
  family: {
    description: 'Only verdicts of this policy family.',
    type: 'string',
    enum: families,
  },
}
const limit = upTo500('Greatest number of rows', '20')

function querystring(properties: PartSchema['properties']): PartSchema {
  return { type: 'object', additionalProperties: false, properties: { ...period, ...properties } }
}

const note = 'A verdict counts once it is sealed, on the day in UTC on which it was recorded; at most 366 days at once.'

const daysSchema = {
  summary: 'Results by day: outcomes, or those of one rule, or how many miss one fact',
  description: `Days without verdicts are left out. ${note}`,
  tags: ['audit'],
  operationId: 'getDayStatistics',
  querystring: querystring({
    rule: ruleId('Id of a rule whose results are counted.'),
    missingFact: factPointer('JSON Pointer of a fact that is missing.'),
  }),
  response: answers({ 200: { description: 'Oldest day first.', schema: component('DayStatistics') } }),
}

const rulesSchema = {
  summary: 'Rules by how many verdicts they fail in',
  description: `The most frequent first. ${note}`,
  tags: ['audit'],
  operationId: 'getRuleStatistics',
  querystring: querystring({
    result: {
      description: 'The result that is counted; fail when left out.',
      type: 'string',
      enum: ['fail', 'unknown', 'pass', 'not_applicable'],
      default: 'fail',
    },
    limit,
  }),
  response: answers({ 200: { description: 'The rules.', schema: component('RuleStatistics') } }),
}

const factsSchema = {
  summary: 'Facts by how many verdicts miss them',
  description: `The most frequent first. ${note}`,
  tags: ['audit'],
  operationId: 'getFactStatistics',
  querystring: querystring({ limit }),
  response: answers({ 200: { description: 'The facts.', schema: component('FactStatistics') } }),
}

interface Query {
  readonly from?: string
  readonly to?: string
  readonly family?: string
}
type DaysQuery = Query & { readonly rule?: string; readonly missingFact?: string }
type FrequencyQuery = Query & { readonly result?: string; readonly limit?: string }

/** GET /v1/statistics/days, /v1/statistics/rules and /v1/statistics/facts */
export function statisticsRoutes(app: FastifyInstance, { store }: Deps): void {
  const config = { permission: 'audit' } as const
  const fresh = (reply: FastifyReply) => reply.header('cache-control', 'no-store')

  app.get<{ Querystring: DaysQuery }>('/v1/statistics/days', { schema: daysSchema, config }, (request, reply) => {
    const { rule, missingFact, ...asked } = request.query
    if (rule !== undefined && missingFact !== undefined) {
      throw new ImagegateError('OPTION_INVALID', 'Ask for a rule or for a missing fact, not for both.')
    }
    fresh(reply)
    return dayStatistics(store, callerOf(request).tenant, periodOf(asked, new Date()), rule ?? missingFact)
  })

  function frequencies(request: FastifyRequest<{ Querystring: FrequencyQuery }>, reply: FastifyReply, result: string) {
    const { result: _result, limit = '20', ...asked } = request.query
    const wanted = { result, limit: Number(limit) }
    fresh(reply)
    return frequencyStatistics(store, callerOf(request).tenant, periodOf(asked, new Date()), wanted)
  }

  app.get<{ Querystring: FrequencyQuery }>(
    '/v1/statistics/rules',
    { schema: rulesSchema, config },
    async (request, reply) => {
      const { counts, ...rest } = await frequencies(request, reply, request.query.result ?? 'fail')
      return { ...rest, rules: counts.map(({ subject, verdicts }) => ({ rule: subject, verdicts })) }
    },
  )

  app.get<{ Querystring: FrequencyQuery }>(
    '/v1/statistics/facts',
    { schema: factsSchema, config },
    async (request, reply) => {
      const { counts, ...rest } = await frequencies(request, reply, 'missing')
      return { ...rest, facts: counts.map(({ subject, verdicts }) => ({ pointer: subject, verdicts })) }
    },
  )
}
