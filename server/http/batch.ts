import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ImagegateError } from '../errors.ts'
import { maxDocumentBytes } from '../facts/parse.ts'
import { inOrder } from '../in-order.ts'
import { type Line, splitLines } from '../lines.ts'
import { takeLines } from './bodies.ts'
import { answers } from './components.ts'
import type { Deps } from './deps.ts'
import {
  type Evaluation,
  type EvaluationQuery,
  evaluateBytes,
  evaluationHeaders,
  evaluationOf,
  evaluationQuery,
} from './evaluate.ts'
import { problemOf, publicError, traceOf } from './problems.ts'
import { note } from './request-log.ts'
import { component } from './schema-parts.ts'
import { timely } from './timely.ts'

const schema = {
  summary: 'Evaluate many fact documents',
  description:
    'Each line of the body is a fact document, and each answers one line, in the same order, while the body is still being sent: read while you write, or both sides wait for ever. Blank lines are counted and not answered. The options hold for all lines; the Idempotency-Key of a line is the given one with a colon and the number of the line.',
  tags: ['evaluation'],
  operationId: 'evaluateMany',
  querystring: evaluationQuery,
  headers: evaluationHeaders,
  body: { content: { 'application/x-ndjson': { schema: component('FactDocument') } } },
  response: answers({
    200: {
      description: 'One line for each document: its verdict, or the problem that it alone has.',
      mediaType: 'application/x-ndjson',
      schema: component('BatchLine'),
    },
  }),
}

interface Route {
  Querystring: EvaluationQuery
  Headers: { 'idempotency-key'?: string }
}

interface LineAnswer {
  readonly status: number
  readonly text: string
  readonly verdict?: string
}

/** Answers one line; whatever goes wrong is this line's problem and not the stream's. */
async function answerLine(
  deps: Deps,
  evaluation: Evaluation,
  request: FastifyRequest<Route>,
  given: Line,
): Promise<LineAnswer> {
  const { line } = given
  try {
    if ('error' in given) throw given.error
    if (deps.lifecycle.phase === 'closing') throw new ImagegateError('SHUTTING_DOWN', 'No further line is evaluated.')
    const key = request.headers['idempotency-key']
    const answer = await evaluateBytes(deps, evaluation, given.bytes, key === undefined ? undefined : `${key}:${line}`)
    const { body, recorded } = answer
    if (recorded === undefined) return { status: 200, text: `{"line":${line},"status":200,"verdict":${body}}\n` }
    const replayed = recorded.replayed ? '"replayed":true,' : ''
    return { status: 201, text: `{"line":${line},"status":201,${replayed}"verdict":${body}}\n`, verdict: recorded.id }
  } catch (error) {
    const shown = publicError(error)
    if (shown.code === 'INTERNAL') request.log.error({ line, err: traceOf(error) }, 'line')
    const problem = problemOf(shown, request.id)
    return { status: problem.status, text: `${JSON.stringify({ line, status: problem.status, problem })}\n` }
  }
}

/** Keeps the request's notes up to date while its lines are answered. */
function counted(deps: Deps, request: FastifyRequest): (answer: LineAnswer) => string {
  const statuses: Record<string, number> = {}
  let count = 0
  let firstVerdict: string | undefined
  return ({ status, text, verdict }) => {
    count += 1
    statuses[status] = (statuses[status] ?? 0) + 1
    firstVerdict ??= verdict
    deps.metrics.batchLines.inc({ status: String(status) })
    note(request, {
      count,
      statuses,
      ...(firstVerdict === undefined ? {} : { firstVerdict }),
      ...(verdict === undefined ? {} : { lastVerdict: verdict }),
    })
    return text
  }
}

async function* answerLines(deps: Deps, evaluation: Evaluation, request: FastifyRequest<Route>, body: Readable) {
  const { bodySeconds, batchWindow } = deps.limits
  const chunks = timely(body, bodySeconds * 1000)
  const work = (line: Line) => answerLine(deps, evaluation, request, line)
  const count = counted(deps, request)
  for await (const answer of inOrder(splitLines(chunks, maxDocumentBytes), work, batchWindow)) yield count(answer)
}

/** POST /v1/evaluations/batch */
export function batchRoutes(app: FastifyInstance, deps: Deps): void {
  takeLines(app)
  app.post<Route>('/v1/evaluations/batch', { schema, config: { permission: 'evaluate' } }, async (request, reply) => {
    const evaluation = evaluationOf(request)
    if (!(request.body instanceof Readable)) {
      throw new ImagegateError('MEDIA_TYPE_UNSUPPORTED', 'A batch is sent as application/x-ndjson.')
    }
    const lines = answerLines(deps, evaluation, request, request.body)
    reply.type('application/x-ndjson; charset=utf-8').header('cache-control', 'no-store')
    return reply.send(Readable.from(lines, { objectMode: false, highWaterMark: 65_536 }))
  })
}
