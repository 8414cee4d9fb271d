import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ImagegateError } from '../errors.ts'
import type { Deps } from './deps.ts'
import { problemOf, problemType, publicError, retryAfterOf } from './problems.ts'
import { note } from './request-log.ts'
import type { RouteTable } from './route-table.ts'

/** Makes an answer that of an error, notes it for the request's log line, and gives the text of its problem. */
export function problemText(error: unknown, request: FastifyRequest, reply: FastifyReply): string {
  const shown = publicError(error)
  const problem = problemOf(shown, request.id)
  note(request, { code: shown.code, ...(problem.status >= 500 ? { error } : {}) })
  const seconds = retryAfterOf(shown.code)
  if (seconds !== undefined) reply.header('retry-after', seconds)
  if (shown.code === 'SHUTTING_DOWN') reply.header('connection', 'close')
  reply.code(problem.status).header('cache-control', 'no-store').type(problemType)
  return JSON.stringify(problem)
}

/** Answers an error as a problem. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.send(problemText(error, request, reply))
}

/** Turns every error into a problem, also that of an unknown address, and turns work away while closing. */
export function handleErrors(app: FastifyInstance, deps: Deps, table: RouteTable): void {
  app.setErrorHandler(answerError)
  // Only a file that the page of the API description does not have comes here.
  app.setNotFoundHandler((request, reply) =>
    answerError(new ImagegateError('ROUTE_NOT_FOUND', 'There is no such file.'), request, reply),
  )
  // Before the body is read: an unknown address is one whatever media type was sent to it.
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) {
      const methods = table.methodsAt(request.url)
      if (methods.length === 0) throw new ImagegateError('ROUTE_NOT_FOUND', 'No resource has this address.')
      reply.header('allow', methods.join(', '))
      throw new ImagegateError('METHOD_NOT_ALLOWED', `This resource knows ${methods.join(', ')}.`)
    }
    if (deps.lifecycle.phase === 'closing' && !request.routeOptions.config.answersWhileClosing) {
      throw new ImagegateError('SHUTTING_DOWN', 'This instance takes no new work.')
    }
  })
  app.addHook('onSend', async (_request, reply) => {
    if (deps.lifecycle.phase === 'closing') reply.header('connection', 'close')
  })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Health is answered to the end. */
    readonly answersWhileClosing?: boolean
  }
}
