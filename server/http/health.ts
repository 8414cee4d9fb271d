import type { FastifyInstance } from 'fastify'
import { ImagegateError } from '../errors.ts'
import { answers } from './components.ts'
import type { Deps } from './deps.ts'

const status = { type: 'object', properties: { status: { type: 'string' } }, required: ['status'] }

function schema(operationId: string, summary: string) {
  return {
    summary,
    tags: ['operation'],
    operationId,
    response: answers({ 200: { description: 'It is so.', schema: status } }),
  }
}

/** GET /health/live and /health/ready. Both are answered under load and to the end. */
export function healthRoutes(app: FastifyInstance, { lifecycle, store }: Deps): void {
  const config = { answersWhileClosing: true, pressureHandler: () => undefined }
  app.get('/health/live', { schema: schema('isLive', 'The process answers'), config }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    return { status: 'live' }
  })
  const ready = schema('isReady', 'The database can be written and the process is not stopping')
  app.get('/health/ready', { schema: ready, config }, async (_request, reply) => {
    if (lifecycle.phase !== 'serving') throw new ImagegateError('SHUTTING_DOWN', 'This instance is stopping.')
    await store.check()
    reply.header('cache-control', 'no-store')
    return { status: 'ready' }
  })
}
