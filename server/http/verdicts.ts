import type { FastifyInstance } from 'fastify'
import type { StoredVerdict } from '../audit/store.ts'
import { ImagegateError } from '../errors.ts'
import { evidence, replay } from '../evaluation/replay.ts'
import { matches } from '../schemas.ts'
import { callerOf } from './caller.ts'
import { answers } from './components.ts'
import { entityTag, immutable, reprDigest, sendTagged } from './conditional.ts'
import type { Deps } from './deps.ts'
import { note } from './request-log.ts'
import { component } from './schema-parts.ts'
import type { PartSchema } from './validation.ts'

const params: PartSchema = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { description: 'Id of a recorded verdict, a UUID of version 7.', type: 'string' },
  },
}

const etag = { type: 'string', description: 'Digest of what is answered.' }

function route(operationId: string, summary: string, description: string, name: string) {
  const response = answers({ 200: { description, headers: { etag }, schema: component(name) } })
  const schema = { summary, tags: ['audit'], operationId, params, response }
  return { schema, config: { permission: 'read' } as const }
}

interface ById {
  Params: { id: string }
}

async function stored({ store }: Deps, tenant: string, id: string): Promise<StoredVerdict> {
  const found = await store.verdict(tenant, id)
  if (found === undefined) throw new ImagegateError('VERDICT_NOT_FOUND', 'No verdict with this id is recorded.')
  return found
}

async function factsOf(deps: Deps, tenant: string, id: string): Promise<{ text: string; digest: string }> {
  const { body } = await stored(deps, tenant, id)
  const verdict: unknown = JSON.parse(body)
  if (!matches('verdict', verdict)) throw new ImagegateError('INTERNAL', 'The record is not a verdict.')
  const text = await deps.store.document(tenant, verdict.documentDigest)
  if (text === 'expired') throw new ImagegateError('FACTS_EXPIRED', 'Retention removed them.')
  if (text === undefined) throw new ImagegateError('INTERNAL', 'The record lacks its fact document.')
  return { text, digest: verdict.documentDigest }
}

/** GET /v1/verdicts/{id} and what belongs to it. */
export function verdictRoutes(app: FastifyInstance, deps: Deps): void {
  const { store } = deps
  const verdict = route('getVerdict', 'A verdict, exactly as stored', 'The verdict.', 'Verdict')
  app.get<ById>('/v1/verdicts/:id', verdict, async (request, reply) => {
    const { body, recordDigest } = await stored(deps, callerOf(request).tenant, request.params.id)
    note(request, { verdict: request.params.id })
    reply.type('application/json; charset=utf-8').header('cache-control', `private, ${immutable}`)
    reply.header('repr-digest', reprDigest(recordDigest))
    return sendTagged(request, reply, body, entityTag(recordDigest))
  })

  const facts = route('getFacts', 'The fact document that was judged', 'In its canonical form.', 'FactDocument')
  app.get<ById>('/v1/verdicts/:id/facts', facts, async (request, reply) => {
    const { text, digest } = await factsOf(deps, callerOf(request).tenant, request.params.id)
    note(request, { verdict: request.params.id })
    // Retention may remove facts, so a cache has to ask.
    reply.type('application/json; charset=utf-8').header('cache-control', 'private, no-cache')
    reply.header('repr-digest', reprDigest(digest))
    return sendTagged(request, reply, text, entityTag(digest))
  })

  const all = route('getEvidence', 'The evidence of every rule', 'Computed anew; no part of the record.', 'Evidence')
  app.get<ById>('/v1/verdicts/:id/evidence', all, async (request, reply) => {
    const answer = await evidence(store, callerOf(request).tenant, request.params.id)
    note(request, { verdict: request.params.id })
    reply.header('cache-control', 'no-store')
    return answer
  })

  const again = route('replayVerdict', 'Evaluate it again from the record alone', 'What the replay found.', 'Replay')
  app.get<ById>('/v1/verdicts/:id/replay', again, async (request, reply) => {
    const answer = await replay(store, callerOf(request).tenant, request.params.id)
    note(request, { verdict: request.params.id })
    reply.header('cache-control', 'no-store')
    return answer
  })
}
