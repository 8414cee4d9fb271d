import type { FastifyInstance } from 'fastify'
import { errorKinds, ImagegateError } from '../errors.ts'
import type { PolicyView } from '../policy/live.ts'
import { answers } from './components.ts'
import type { Deps } from './deps.ts'
import { component } from './schema-parts.ts'

const status = { type: 'object', properties: { status: { type: 'string' } }, required: ['status'] }

function schema(operationId: string, summary: string, answer: unknown) {
  return {
    summary,
    tags: ['operation'],
    operationId,
    response: answers({ 200: { description: 'It is so.', schema: answer } }),
  }
}

/** Problems of a reload that are told here; the log has all of them. */
const toldProblems = 10

/** What is served, and why it is not what the files say. An error's detail may name a path, so its title stands in. */
function policiesOf({ served, failure }: PolicyView) {
  const { digest, since, set, bundle, candidate } = served
  const state = {
    digest,
    since,
    versions: set.versions.length,
    ...(bundle && { bundle: bundle.sequence }),
    ...(candidate && { candidate: candidate.digest }),
  }
  if (failure === undefined) return { ...state, reload: 'ok' }
  const { code, problems, total } = failure.error
  const { title } = errorKinds[code]
  return {
    ...state,
    reload: 'failed',
    failed: { at: failure.at, code, title, problems: problems.slice(0, toldProblems), total },
  }
}

/** GET /health/live and /health/ready. Both are answered under load and to the end. */
export function healthRoutes(app: FastifyInstance, { lifecycle, store, policies }: Deps): void {
  const config = { permission: 'public', answersWhileClosing: true, pressureHandler: () => undefined } as const
  const live = schema('isLive', 'The process answers', status)
  app.get('/health/live', { schema: live, config }, async (_request, reply) => {
    reply.header('cache-control', 'no-store')
    return { status: 'live' }
  })
  const ready = {
    ...schema('isReady', 'The database can be written and the process is not stopping', component('Ready')),
    description: 'A reload of the policies that failed is told and leaves it ready: the last good ones are served.',
  }
  app.get('/health/ready', { schema: ready, config }, async (_request, reply) => {
    if (lifecycle.phase !== 'serving') throw new ImagegateError('SHUTTING_DOWN', 'This instance is stopping.')
    await store.check()
    reply.header('cache-control', 'no-store')
    return { status: 'ready', policies: policiesOf(policies) }
  })
}
