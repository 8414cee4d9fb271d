import type { FastifyInstance } from 'fastify'
import type { VerdictFilter } from '../audit/store.ts'
import { families } from '../policy/families.ts'
import { callerOf } from './caller.ts'
import { answers } from './components.ts'
import { filterNames, filterOf, readCursor, writeCursor } from './cursor.ts'
import type { Deps } from './deps.ts'
import { factPointer, givenFilter, instant, named, paging, ruleId } from './list-parts.ts'
import { note } from './request-log.ts'
import { component } from './schema-parts.ts'
import type { PartSchema } from './validation.ts'

const oneOf = (description: string, ...names: string[]) => ({
  description: `${description}: ${names.join(', ')}.`,
  type: 'string',
  enum: names,
})

const querystring: PartSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    from: { description: 'Recorded at or after: RFC 3339 in UTC, or a date, which is its midnight.', ...instant },
    to: { description: 'Recorded before: RFC 3339 in UTC, or a date, which is its midnight.', ...instant },
    outcome: oneOf('The outcome', 'ready', 'ready_with_warnings', 'undetermined', 'not_ready'),
    family: oneOf('The policy family', ...families),
    osType: oneOf('The type of operating system', 'windows', 'linux', 'freebsd'),
    osId: named('The distribution, as the facts name it.', 64),
    imageName: named("The image's name, exactly.", 255),
    imageDigest: { ...named("The image's digest.", 71), pattern: '^sha256:[0-9a-f]{64}$' },
    policyVersion: { ...named('The version of the policy.', 20), pattern: '^[0-9]{1,6}\\.[0-9]{1,6}\\.[0-9]{1,6}$' },
    failedRule: ruleId('Id of a rule that failed.'),
    missingFact: factPointer('JSON Pointer of a fact that the verdict lists as missing.'),
    severity: oneOf(
      'Severity of a finding that did not pass; with effect or failedRule, of the same finding',
      ...['block', 'warn', 'inform'],
    ),
    effect: oneOf(
      'Effect of a finding that did not pass; with severity or failedRule, of the same finding',
      ...['block', 'warn', 'inform', 'none'],
    ),
    caller: { ...named('Who submitted it, as in submittedBy.', 255), examples: ['key:ci'] },
    requestId: {
      ...named('Id of the request that submitted it, as in submittedBy.', 36),
      pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$',
    },
    text: {
      ...named("Text in the image's name, at least 3 characters; letters A to Z match in either case.", 255),
      minLength: 3,
      examples: ['web-'],
    },
    ...paging,
  },
}

const schema = {
  summary: 'List verdicts, newest first',
  description:
    'All given filters must hold. Pages after the first show the list as it was at the first: verdicts recorded since are left out. Where filters hardly meet, a page looks at so many verdicts and then ends with fewer than limit, or none; only a page without next is the last.',
  tags: ['audit'],
  operationId: 'listVerdicts',
  querystring,
  response: answers({
    200: {
      description: 'A page.',
      headers: { link: { type: 'string', description: 'rel="next", when there is a further page.' } },
      schema: component('VerdictPage'),
    },
  }),
}

type ListQuery = VerdictFilter & { readonly limit?: string; readonly cursor?: string }

/** GET /v1/verdicts */
export function listRoutes(app: FastifyInstance, { store }: Deps): void {
  app.get<{ Querystring: ListQuery }>(
    '/v1/verdicts',
    { schema, config: { permission: 'read' } },
    async (request, reply) => {
      const { limit = '50', cursor: text } = request.query
      const given: VerdictFilter = givenFilter(filterNames, request.query)
      const cursor = text === undefined ? undefined : readCursor(text)
      const filter = cursor === undefined ? given : filterOf(cursor, given)
      const { verdicts, next } = await store.list(callerOf(request).tenant, filter, Number(limit), cursor?.position)
      note(request, { count: verdicts.length })
      reply.header('cache-control', 'no-store')
      if (next === undefined) return { verdicts }
      const following = writeCursor({ position: next, filter })
      reply.header('link', `</v1/verdicts?limit=${limit}&cursor=${following}>; rel="next"`)
      return { verdicts, next: following }
    },
  )
}
