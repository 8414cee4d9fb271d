import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { newIdentity } from '../audit/identity.ts'
import type { AuditRead } from '../audit/reads.ts'
import { canonicalize } from '../digest.ts'
import { ImagegateError } from '../errors.ts'
import { callerOf } from './caller.ts'
import { unseal } from './cursor.ts'
import type { Deps } from './deps.ts'
import { problemText } from './error-handler.ts'
import { notesOf } from './request-log.ts'

/** Characters of a value of the path or the query that are kept. */
const maxValue = 1024

const verdictId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function bounded(value: unknown): unknown {
  if (typeof value !== 'string') return value
  // A character may be cut in two.
  return value.length <= maxValue ? value : `${value.slice(0, maxValue).toWellFormed()}…`
}

function boundedAll(values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, bounded(value)]))
}

/** What a cursor stands for: the filters of the first page are in it and nowhere else. */
function opened(cursor: string): unknown {
  try {
    return unseal(cursor)
  } catch {
    return bounded(cursor)
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

/** What was asked: path and query, which are validated by now and hold no secret. */
function requestOf(request: FastifyRequest): string {
  const { cursor, ...query } = objectOf(request.query)
  return canonicalize({
    path: boundedAll(objectOf(request.params)),
    query: { ...boundedAll(query), ...(typeof cursor === 'string' && { cursor: opened(cursor) }) },
  })
}

/** How many records an answer holds, where that is known. */
function answeredBy(request: FastifyRequest, status: number): number | null {
  if (status !== 200) return 0
  const { count, verdict } = notesOf(request)
  return count ?? (verdict === undefined ? null : 1)
}

function readBy(request: FastifyRequest, operation: string, status: number, now: Date): AuditRead {
  const { name, roles } = callerOf(request)
  const { id, recordedAt } = newIdentity(now)
  const { id: asked } = objectOf(request.params)
  return {
    id,
    at: recordedAt,
    caller: name,
    roles,
    operation,
    verdict: typeof asked === 'string' && verdictId.test(asked) ? asked : null,
    request: requestOf(request),
    status,
    answered: answeredBy(request, status),
    requestId: request.id,
  }
}

/** The answer instead of what would go unrecorded: nothing of that one stays, no header of it either. */
function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply, before: ReadonlySet<string>): string {
  for (const name of Object.keys(reply.getHeaders())) if (!before.has(name)) reply.removeHeader(name)
  const { code, message } =
    error instanceof ImagegateError ? error : { code: 'STORE_UNAVAILABLE' as const, message: 'Unforeseen.' }
  const told = new ImagegateError(code, `A read is answered only once it is recorded. ${message}`, { cause: error })
  return problemText(told, request, reply)
}

function hooksOf(operation: string, { store, now }: Pick<Deps, 'store' | 'now'>) {
  /** The headers that a request which may be answered had before its handler ran. */
  const admitted = new WeakMap<FastifyRequest, ReadonlySet<string>>()
  async function admit(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    admitted.set(request, new Set(Object.keys(reply.getHeaders())))
  }
  async function record(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
    const before = admitted.get(request)
    // What was turned away before is in the log, and what failed tells nothing.
    if (before === undefined || reply.statusCode >= 500) return payload
    try {
      await store.recordRead(callerOf(request).tenant, readBy(request, operation, reply.statusCode, now()))
      return payload
    } catch (error) {
      if (payload instanceof Readable) payload.destroy()
      return refuse(error, request, reply, before)
    }
  }
  return { admit, record }
}

function listOf<Hook>(hooks: Hook | Hook[] | undefined): Hook[] {
  if (hooks === undefined) return []
  return Array.isArray(hooks) ? hooks : [hooks]
}

/**
 * Has every read of the audit trail recorded before its answer leaves, on every route that is registered after this call
 * and asks for the permission to read or to audit. What cannot be recorded is not answered.
 */
export function recordReads(app: FastifyInstance, deps: Pick<Deps, 'store' | 'now'>): void {
  app.addHook('onRoute', (route: RouteOptions) => {
    const permission = route.config?.permission
    if (permission !== 'read' && permission !== 'audit') return
    const operation: unknown = Reflect.get(route.schema ?? {}, 'operationId')
    if (typeof operation !== 'string') throw new Error(`The route ${route.url} has no operationId to record it by.`)
    const { admit, record } = hooksOf(operation, deps)
    route.preHandler = [...listOf(route.preHandler), admit]
    // First, while the answer is whole: what follows takes the body from the answer to HEAD.
    route.onSend = [record, ...listOf(route.onSend)]
  })
}
