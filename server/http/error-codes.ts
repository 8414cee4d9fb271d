import type { FastifyInstance } from 'fastify'
import { errorKinds, ImagegateError } from '../errors.ts'
import { answers } from './components.ts'
import { component } from './schema-parts.ts'
import type { PartSchema } from './validation.ts'

const params: PartSchema = {
  type: 'object',
  required: ['code'],
  properties: { code: { description: 'A code of an error.', type: 'string', examples: ['FACTS_INVALID'] } },
}

const list = {
  summary: 'Every error code, and what to do about it',
  tags: ['contracts'],
  operationId: 'listErrorCodes',
  response: answers({ 200: { description: 'All codes.', schema: component('ErrorList') } }),
}

const one = {
  summary: 'One error code; where the type of a problem points to',
  tags: ['contracts'],
  operationId: 'getErrorCode',
  params,
  response: answers({ 200: { description: 'The code.', schema: component('ErrorCode') } }),
}

const codes = Object.entries(errorKinds).map(([code, { status, title, mend }]) => ({
  code,
  status,
  title,
  mend,
  type: `/v1/problems/${code}`,
}))

/** GET /v1/problems and /v1/problems/{code} */
export function errorCodeRoutes(app: FastifyInstance): void {
  const config = { permission: 'public' } as const
  app.get('/v1/problems', { schema: list, config }, async (_request, reply) => {
    reply.header('cache-control', 'no-cache')
    return { problems: codes }
  })
  app.get<{ Params: { code: string } }>('/v1/problems/:code', { schema: one, config }, async (request, reply) => {
    const found = codes.find(({ code }) => code === request.params.code)
    if (found === undefined) throw new ImagegateError('ROUTE_NOT_FOUND', 'No error has this code.')
    reply.header('cache-control', 'no-cache')
    return found
  })
}
