import { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ErrorCode } from '../errors.ts'
import { knownCaller } from './caller.ts'
import type { Deps } from './deps.ts'
import { traceOf } from './problems.ts'

/** What a request's log line says beyond method, route, status and time. Never facts, queries or headers. */
export interface Notes {
  readonly code?: ErrorCode
  /** The error behind a 5xx; only its kind and place are logged. */
  readonly error?: unknown
  readonly verdict?: string
  readonly replayed?: boolean
  /** Verdicts or differences in a list, or lines of a batch. */
  readonly count?: number
  /** Lines of a batch by their status. */
  readonly statuses?: Readonly<Record<string, number>>
  readonly firstVerdict?: string
  readonly lastVerdict?: string
}

const notes = new WeakMap<FastifyRequest, Notes>()

/** Adds to what the request's log line will say. */
export function note(request: FastifyRequest, more: Notes): void {
  notes.set(request, { ...notes.get(request), ...more })
}

/** What its log line will say as yet. */
export function notesOf(request: FastifyRequest): Notes {
  return notes.get(request) ?? {}
}

/** A body that nobody reads any more may keep its connection for this many milliseconds. */
const lingerMs = 2000

function logLine(request: FastifyRequest, status: number, seconds: number, finished: boolean): void {
  const { error, ...told } = notesOf(request)
  const caller = knownCaller(request)?.name
  const line = {
    method: request.method,
    route: request.routeOptions.url ?? null,
    status,
    durationMs: Math.round(seconds * 1e5) / 100,
    ...(caller === undefined ? {} : { caller }),
    ...(finished ? {} : { aborted: true }),
    ...told,
    ...(error === undefined ? {} : { err: traceOf(error) }),
  }
  if (status >= 500) request.log.error(line, 'request')
  else request.log.info(line, 'request')
}

/** Logs and measures every request once, when its answer is sent or its connection is gone. */
export function logRequests(app: FastifyInstance, { metrics }: Pick<Deps, 'metrics'>): void {
  app.addHook('onRequest', async (request, reply) => {
    const start = performance.now()
    metrics.requestsInFlight.inc()
    reply.header('x-request-id', request.id)
    let done = false
    const end = (finished: boolean) => {
      if (done) return
      done = true
      const seconds = (performance.now() - start) / 1000
      const status = reply.raw.statusCode
      metrics.requestsInFlight.dec()
      const route = request.routeOptions.url ?? 'none'
      metrics.requestSeconds.observe({ route, method: request.method, status: String(status) }, seconds)
      logLine(request, status, seconds, finished)
      const { raw } = request
      if (!raw.complete && raw.socket instanceof Socket) {
        setTimeout(() => raw.complete || raw.socket.destroy(), lingerMs).unref()
      }
    }
    reply.raw.once('finish', () => end(true))
    reply.raw.once('close', () => end(reply.raw.writableFinished))
  })
}
