import type { FastifyInstance } from 'fastify'
import { ImagegateError } from '../errors.ts'
import { callerOf } from './caller.ts'
import { answers } from './components.ts'
import type { Deps } from './deps.ts'
import { note } from './request-log.ts'
import { component } from './schema-parts.ts'
import type { PartSchema } from './validation.ts'

const params: PartSchema = {
  type: 'object',
  required: ['id'],
  properties: { id: { description: 'Id of a recorded verdict, a UUID of version 7.', type: 'string' } },
}

const querystring: PartSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    after: {
      description: 'Sequence number: checkpoints that end after it. 0 when left out.',
      type: 'string',
      pattern: '^(0|[1-9][0-9]{0,14})$',
      default: '0',
    },
    limit: {
      description: 'Length of the page, 1 to 400; 50 when left out.',
      type: 'string',
      pattern: '^([1-9][0-9]?|[1-3][0-9]{2}|400)$',
      default: '50',
    },
  },
}

const proofSchema = {
  summary: 'The proof that a verdict stands in the chain',
  description:
    'Checked with the public key alone, offline: docs/audit.md. Before a checkpoint covers the verdict, PROOF_PENDING.',
  tags: ['audit'],
  operationId: 'getProof',
  params,
  response: answers({ 200: { description: 'The proof.', schema: component('InclusionProof') } }),
}

const listSchema = {
  summary: "The signed checkpoints of the caller's chain",
  description: 'In the order of the chain: where a page ends, the next begins.',
  tags: ['audit'],
  operationId: 'listCheckpoints',
  querystring,
  response: answers({
    200: {
      description: 'A page.',
      headers: { link: { type: 'string', description: 'rel="next", when there is a further page.' } },
      schema: component('CheckpointPage'),
    },
  }),
}

function pending(state: 'uncovered' | 'unsealed', signing: boolean): ImagegateError {
  if (!signing) return new ImagegateError('PROOF_PENDING', 'No checkpoint covers it, and this service signs none.')
  const waits =
    state === 'unsealed' ? 'It waits to be sealed in the chain.' : 'It is sealed; no checkpoint covers it yet.'
  return new ImagegateError('PROOF_PENDING', waits)
}

/** GET /v1/verdicts/{id}/proof and GET /v1/checkpoints */
export function proofRoutes(app: FastifyInstance, { store, checkpoints }: Deps): void {
  const config = { permission: 'audit' } as const
  app.get<{ Params: { id: string } }>(
    '/v1/verdicts/:id/proof',
    { schema: proofSchema, config },
    async (request, reply) => {
      const { id } = request.params
      const found = await store.proof(callerOf(request).tenant, id)
      if (found === undefined) throw new ImagegateError('VERDICT_NOT_FOUND', 'No verdict with this id is recorded.')
      if (found === 'uncovered' || found === 'unsealed') throw pending(found, checkpoints.state.signing)
      note(request, { verdict: id })
      reply.header('cache-control', 'private, no-cache')
      return found
    },
  )
  app.get<{ Querystring: { after?: string; limit?: string } }>(
    '/v1/checkpoints',
    { schema: listSchema, config },
    async (request, reply) => {
      const { after = '0', limit = '50' } = request.query
      const found = await store.checkpoints(callerOf(request).tenant, Number(after), Number(limit) + 1)
      const page = found.slice(0, Number(limit))
      note(request, { count: page.length })
      reply.header('cache-control', 'no-store')
      const last = page.at(-1)
      if (found.length === page.length || last === undefined) return { checkpoints: page }
      reply.header('link', `</v1/checkpoints?limit=${limit}&after=${last.sequence}>; rel="next"`)
      return { checkpoints: page, next: String(last.sequence) }
    },
  )
}
