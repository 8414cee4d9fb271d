import type { FastifyInstance } from 'fastify'
import { takeJson } from './bodies.ts'
import { answers } from './components.ts'
import { entityTag, reprDigest } from './conditional.ts'
import type { Deps } from './deps.ts'
import { type EvaluationQuery, evaluateBytes, evaluationHeaders, evaluationOf, evaluationQuery } from './evaluate.ts'
import { note } from './request-log.ts'
import { component } from './schema-parts.ts'

const verdictHeaders = {
  location: { type: 'string', description: 'Address of the recorded verdict.' },
  etag: { type: 'string', description: 'Digest of the record.' },
  'repr-digest': { type: 'string', description: 'Digest of the answered bytes (RFC 9530).' },
  'idempotency-replayed': { type: 'string', description: 'true when an earlier request with the same key made it.' },
}

const schema = {
  summary: 'Evaluate one fact document',
  description: 'Answers once the verdict is durable.',
  tags: ['evaluation'],
  operationId: 'evaluate',
  querystring: evaluationQuery,
  headers: evaluationHeaders,
  body: { content: { 'application/json': { schema: component('FactDocument') } } },
  response: answers({
    200: { description: 'The verdict of a dry run; not stored.', schema: component('Verdict') },
    201: { description: 'The verdict, as stored.', headers: verdictHeaders, schema: component('Verdict') },
  }),
}

interface Route {
  Querystring: EvaluationQuery
  Headers: { 'idempotency-key'?: string }
}

/** POST /v1/evaluations */
export function evaluationRoutes(app: FastifyInstance, deps: Deps): void {
  takeJson(app, deps.limits.bodySeconds)
  app.post<Route>('/v1/evaluations', { schema, config: { permission: 'evaluate' } }, async (request, reply) => {
    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const key = request.headers['idempotency-key']
    const { body, recorded } = await evaluateBytes(deps, evaluationOf(request), bytes, key)
    reply.type('application/json; charset=utf-8').header('cache-control', 'no-store')
    if (recorded === undefined) return reply.send(body)
    const { id, recordDigest, replayed } = recorded
    note(request, { verdict: id, ...(replayed ? { replayed } : {}) })
    if (replayed) reply.header('idempotency-replayed', 'true')
    return reply
      .code(201)
      .header('location', `/v1/verdicts/${id}`)
      .header('etag', entityTag(recordDigest))
      .header('repr-digest', reprDigest(recordDigest))
      .send(body)
  })
}
