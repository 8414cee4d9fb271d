import type { FastifyInstance } from 'fastify'
import { type ReadFilter, told } from '../audit/reads.ts'
import { callerOf } from './caller.ts'
import { answers } from './components.ts'
import { filterOf, readFilterNames, readReadCursor, writeCursor } from './cursor.ts'
import type { Deps } from './deps.ts'
import { givenFilter, instant, named, paging } from './list-parts.ts'
import { note } from './request-log.ts'
import { component } from './schema-parts.ts'
import type { PartSchema } from './validation.ts'

const querystring: PartSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    from: { description: 'Read at or after: RFC 3339 in UTC, or a date, which is its midnight.', ...instant },
    to: { description: 'Read before: RFC 3339 in UTC, or a date, which is its midnight.', ...instant },
    caller: { ...named('Who read.', 255), examples: ['key:auditor'] },
    operation: {
      ...named('What was read: the operationId of this description.', 64),
      pattern: '^[A-Za-z]+$',
      examples: ['getFacts'],
    },
    verdict: {
      ...named('Id of a verdict: reads that asked for it by its id.', 36),
      pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
    },
    ...paging,
  },
}

const schema = {
  summary: 'Who has read the audit trail, newest first',
  description:
    'Every read is recorded before it is answered, this one too. All given filters must hold. Pages after the first show the list as it was at the first.',
  tags: ['audit'],
  operationId: 'listReads',
  querystring,
  response: answers({
    200: {
      description: 'A page.',
      headers: { link: { type: 'string', description: 'rel="next", when there is a further page.' } },
      schema: component('ReadPage'),
    },
  }),
}

type Query = ReadFilter & { readonly limit?: string; readonly cursor?: string }

/** GET /v1/reads */
export function readRoutes(app: FastifyInstance, { store }: Deps): void {
  app.get<{ Querystring: Query }>('/v1/reads', { schema, config: { permission: 'audit' } }, async (request, reply) => {
    const { limit = '50', cursor: text } = request.query
    const given: ReadFilter = givenFilter(readFilterNames, request.query)
    const cursor = text === undefined ? undefined : readReadCursor(text)
    const filter = cursor === undefined ? given : filterOf(cursor, given)
    const found = await store.reads(callerOf(request).tenant, filter, Number(limit), cursor?.position)
    const reads = found.reads.map(told)
    note(request, { count: reads.length })
    reply.header('cache-control', 'no-store')
    if (found.next === undefined) return { reads }
    const following = writeCursor({ position: found.next, filter })
    reply.header('link', `</v1/reads?limit=${limit}&cursor=${following}>; rel="next"`)
    return { reads, next: following }
  })
}
