import type { FastifyInstance } from 'fastify'
import { ImagegateError } from '../errors.ts'
import { timeline } from '../evaluation/timeline.ts'
import { callerOf } from './caller.ts'
import { answers } from './components.ts'
import { filterOf, readCursor, writeCursor } from './cursor.ts'
import type { Deps } from './deps.ts'
import { note } from './request-log.ts'
import { component } from './schema-parts.ts'
import type { PartSchema } from './validation.ts'

const querystring: PartSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    imageName: { description: "The image's name, exactly.", type: 'string', minLength: 1, maxLength: 255 },
    imageDigest: { description: "The image's digest.", type: 'string', pattern: '^sha256:[0-9a-f]{64}$' },
    limit: {
      description: 'Length of the page, 1 to 50; 20 when left out.',
      type: 'string',
      pattern: '^([1-9]|[1-4][0-9]|50)$',
      default: '20',
    },
    cursor: {
      description: 'Where the last page ended, exactly as its next; it names the image.',
      type: 'string',
      maxLength: 8192,
      pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]{22}$',
    },
  },
}

const schema = {
  summary: 'What was said of one image, newest first, and why it changed',
  description:
    'Give imageName, imageDigest or both. Each verdict is compared with the one before it: other facts, options, policy or evaluator, or only the clock, and the rules that differ.',
  tags: ['audit'],
  operationId: 'getTimeline',
  querystring,
  response: answers({
    200: {
      description: 'A page.',
      headers: { link: { type: 'string', description: 'rel="next", when there is a further page.' } },
      schema: component('Timeline'),
    },
  }),
}

interface Query {
  readonly imageName?: string
  readonly imageDigest?: string
  readonly limit?: string
  readonly cursor?: string
}

/** GET /v1/timeline */
export function timelineRoutes(app: FastifyInstance, { store }: Deps): void {
  app.get<{ Querystring: Query }>(
    '/v1/timeline',
    { schema, config: { permission: 'read' } },
    async (request, reply) => {
      const { limit = '20', cursor: text, ...given } = request.query
      const cursor = text === undefined ? undefined : readCursor(text)
      const filter = cursor === undefined ? given : filterOf(cursor, given)
      if (filter.imageName === undefined && filter.imageDigest === undefined) {
        throw new ImagegateError('OPTION_INVALID', 'Name the image: imageName, imageDigest or both.')
      }
      const { tenant } = callerOf(request)
      const { entries, next } = await timeline(store, {
        tenant,
        filter,
        limit: Number(limit),
        position: cursor?.position,
      })
      note(request, { count: entries.length })
      reply.header('cache-control', 'no-store')
      if (next === undefined) return { entries }
      const following = writeCursor({ position: next, filter })
      reply.header('link', `</v1/timeline?limit=${limit}&cursor=${following}>; rel="next"`)
      return { entries, next: following }
    },
  )
}
