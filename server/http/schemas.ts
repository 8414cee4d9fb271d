import type { FastifyInstance } from 'fastify'
import { sha256 } from '../digest.ts'
import { ImagegateError } from '../errors.ts'
import { kinds, schema, schemaText } from '../schemas.ts'
import { answers } from './components.ts'
import { entityTag, sendTagged } from './conditional.ts'
import { component } from './schema-parts.ts'
import type { PartSchema } from './validation.ts'

const params: PartSchema = {
  type: 'object',
  required: ['kind'],
  properties: {
    kind: { description: `A kind of document: ${kinds.join(', ')}.`, type: 'string', examples: ['facts'] },
  },
}

const list = {
  summary: 'The schemas of all documents',
  tags: ['contracts'],
  operationId: 'listSchemas',
  response: answers({ 200: { description: 'All schemas.', schema: component('SchemaList') } }),
}

const one = {
  summary: 'A schema, as its file has it',
  tags: ['contracts'],
  operationId: 'getSchema',
  params,
  response: answers({
    200: {
      description: 'JSON Schema, draft 2020-12.',
      mediaType: 'application/schema+json',
      schema: { type: 'object' },
    },
  }),
}

/** GET /v1/schemas and /v1/schemas/{kind} */
export function schemaRoutes(app: FastifyInstance): void {
  const config = { permission: 'public' } as const
  app.get('/v1/schemas', { schema: list, config }, async (_request, reply) => {
    reply.header('cache-control', 'no-cache')
    return { schemas: kinds.map((kind) => ({ kind, title: schema(kind)['title'], href: `/v1/schemas/${kind}` })) }
  })
  app.get<{ Params: { kind: string } }>('/v1/schemas/:kind', { schema: one, config }, async (request, reply) => {
    const kind = kinds.find((name) => name === request.params.kind)
    if (kind === undefined) throw new ImagegateError('SCHEMA_NOT_FOUND', 'No kind of document has this name.')
    const text = schemaText(kind)
    const digest = sha256(text)
    reply.type('application/schema+json; charset=utf-8').header('cache-control', 'no-cache')
    return sendTagged(request, reply, text, entityTag(digest))
  })
}
