import type { FastifyInstance } from 'fastify'
import type { ShadowCount, ShadowFilter, StoredShadow } from '../audit/store.ts'
import { ImagegateError } from '../errors.ts'
import type { PolicyView } from '../policy/live.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import { strictAjv } from '../validators.ts'
import { callerOf } from './caller.ts'
import { answers } from './components.ts'
import { seal, unseal } from './cursor.ts'
import type { Deps } from './deps.ts'
import { paging, ruleId } from './list-parts.ts'
import { note } from './request-log.ts'
import { component } from './schema-parts.ts'
import type { PartSchema } from './validation.ts'

const family = { description: 'A policy family.', type: 'string', examples: ['linux'] }
const params: PartSchema = { type: 'object', required: ['family'], properties: { family } }
const outcome = { type: 'string', enum: ['ready', 'ready_with_warnings', 'undetermined', 'not_ready'] }

const summarySchema = {
  summary: 'The candidate that is tried in shadow, and how it differs',
  description:
    'A candidate is evaluated beside each verdict that the policy in force now gives a document of its family. It is recorded apart and answers nobody.',
  tags: ['policies'],
  operationId: 'getCandidate',
  params,
  response: answers({ 200: { description: 'Counts since it was first tried.', schema: component('Candidate') } }),
}

const querystring: PartSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    from: { description: 'The outcome of the verdict; together with to.', ...outcome },
    to: { description: "The candidate's outcome; together with from.", ...outcome },
    rule: ruleId('Id of a rule that differs.'),
    limit: paging.limit,
    cursor: {
      description: 'Where the last page ended, exactly as its next; its filters hold and must not be given again.',
      type: 'string',
      maxLength: 1024,
      pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]{22}$',
    },
  },
}

const differencesSchema = {
  summary: 'Verdicts of which the candidate would differ, newest first',
  description:
    'All in which a rule differs, unless from and to, or rule, narrow them. Where a rule and a change hardly meet, a page ends with fewer than limit, or none; only a page without next is the last.',
  tags: ['policies'],
  operationId: 'listCandidateDifferences',
  params,
  querystring,
  response: answers({
    200: {
      description: 'A page.',
      headers: { link: { type: 'string', description: 'rel="next", when there is a further page.' } },
      schema: component('CandidateDifferences'),
    },
  }),
}

interface Query {
  readonly from?: string
  readonly to?: string
  readonly rule?: string
  readonly limit?: string
  readonly cursor?: string
}

interface ShadowCursor {
  readonly candidate: string
  readonly filter: ShadowFilter
  readonly before: string
}

const text = { type: 'string', maxLength: 128 }
const closed = { type: 'object', additionalProperties: false }
const isCursor = strictAjv(false).compile<ShadowCursor>({
  ...closed,
  required: ['candidate', 'filter', 'before'],
  properties: {
    candidate: text,
    before: text,
    filter: {
      ...closed,
      properties: { rule: text, change: { ...closed, required: ['from', 'to'], properties: { from: text, to: text } } },
    },
  },
})

function candidateOf({ served: { candidate } }: PolicyView, name: string): ReleasedPolicy {
  if (candidate?.family === name) return candidate
  throw new ImagegateError('CANDIDATE_NOT_FOUND', 'No candidate of this family is configured.')
}

function filterOf({ from, to, rule }: Query): ShadowFilter {
  if ((from === undefined) !== (to === undefined)) {
    throw new ImagegateError('OPTION_INVALID', 'from and to belong together.')
  }
  return {
    ...(from === undefined || to === undefined ? {} : { change: { from, to } }),
    ...(rule === undefined ? {} : { rule }),
  }
}

/** Where a list goes on: with the filters of its first page, for the candidate that it began with. */
function positionOf(query: Query, digest: string): { filter: ShadowFilter; before?: string } {
  const filter = filterOf(query)
  if (query.cursor === undefined) return { filter }
  const cursor = unseal(query.cursor)
  const invalid = (detail: string) => new ImagegateError('CURSOR_INVALID', detail)
  if (!isCursor(cursor)) throw invalid('The cursor is of another list.')
  if (cursor.candidate !== digest) throw invalid('The cursor was made for another candidate.')
  if (Object.keys(filter).length > 0) throw invalid('The cursor has its own filters.')
  return { filter: cursor.filter, before: cursor.before }
}

function summaryOf(candidate: ReleasedPolicy, counts: readonly ShadowCount[]) {
  const outcomes = counts.filter(({ rule }) => rule === undefined)
  const total = (some: readonly ShadowCount[]) => some.reduce((sum, { evaluations }) => sum + evaluations, 0)
  const href = `/v1/policies/${candidate.family}/candidate/differences`
  return {
    family: candidate.family,
    version: candidate.version,
    digest: candidate.digest,
    title: candidate.policy.title,
    evaluations: total(outcomes),
    changed: total(outcomes.filter(({ from, to }) => from !== to)),
    outcomes: outcomes.map((one) => ({ ...one, href: `${href}?from=${one.from}&to=${one.to}` })),
    rules: counts.flatMap((one) => (one.rule === undefined ? [] : [{ ...one, href: `${href}?rule=${one.rule}` }])),
    href,
  }
}

function entryOf({ verdict, from, to, policyDigest, differences }: StoredShadow) {
  const rules: unknown = JSON.parse(differences)
  return { verdict, from, to, policyDigest, rules, href: `/v1/verdicts/${verdict}` }
}

/** GET /v1/policies/{family}/candidate and its differences. */
export function candidateRoutes(app: FastifyInstance, { policies, store }: Deps): void {
  const path = '/v1/policies/:family/candidate'
  const config = { permission: 'audit' } as const
  app.get<{ Params: { family: string } }>(path, { schema: summarySchema, config }, async (request, reply) => {
    const candidate = candidateOf(policies, request.params.family)
    reply.header('cache-control', 'no-store')
    return summaryOf(candidate, await store.shadowCounts(callerOf(request).tenant, candidate.digest))
  })

  app.get<{ Params: { family: string }; Querystring: Query }>(
    `${path}/differences`,
    { schema: differencesSchema, config },
    async (request, reply) => {
      const { family: name } = request.params
      const { digest } = candidateOf(policies, name)
      const { limit = '50' } = request.query
      const { filter, before } = positionOf(request.query, digest)
      const { shadows, next } = await store.shadows(callerOf(request).tenant, digest, filter, Number(limit), before)
      note(request, { count: shadows.length })
      reply.header('cache-control', 'no-store')
      const differences = shadows.map(entryOf)
      if (next === undefined) return { differences }
      const following = seal({ candidate: digest, filter, before: next })
      reply.header(
        'link',
        `</v1/policies/${name}/candidate/differences?limit=${limit}&cursor=${following}>; rel="next"`,
      )
      return { differences, next: following }
    },
  )
}
