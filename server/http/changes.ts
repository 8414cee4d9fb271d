import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { SealedChange } from '../audit/store.ts'
import { callerOf } from './caller.ts'
import { answers } from './components.ts'
import type { Deps } from './deps.ts'
import { upTo500 } from './list-parts.ts'
import { note } from './request-log.ts'
import { component } from './schema-parts.ts'
import type { PartSchema } from './validation.ts'

const querystring: PartSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    after: {
      description: 'The last sequence number that is known; from the begin when left out.',
      type: 'string',
      pattern: '^(0|[1-9][0-9]{0,14})$',
      default: '0',
    },
    limit: upTo500('Greatest number of changes', '100'),
    wait: {
      description: 'Seconds to wait for a change when there is none, 0 to 30.',
      type: 'string',
      pattern: '^([12]?[0-9]|30)$',
      default: '0',
    },
  },
}

const schema = {
  summary: "Verdicts in the hash chain's order, without gaps",
  description:
    'Ask again after the last sequence number of the answer, or after what last says when it is empty: nothing is left out or told twice, whatever happens between.',
  tags: ['audit'],
  operationId: 'listChanges',
  querystring,
  response: answers({ 200: { description: 'What follows, in order.', schema: component('Changes') } }),
}

interface Query {
  readonly after?: string
  readonly limit?: string
  readonly wait?: string
}

/** Milliseconds between two looks for a change. */
const lookEvery = 250

/** GET /v1/changes */
export function changeRoutes(app: FastifyInstance, { store, lifecycle }: Deps): void {
  /** The first changes that there are, at the latest when the time is over or nobody waits any more. */
  async function changesBy(end: number, reply: FastifyReply, read: () => Promise<readonly SealedChange[]>) {
    for (;;) {
      const changes = await read()
      const over = performance.now() >= end || lifecycle.phase !== 'serving' || reply.raw.destroyed
      if (changes.length > 0 || over) return changes
      await sleep(lookEvery)
    }
  }

  app.get<{ Querystring: Query }>(
    '/v1/changes',
    { schema, config: { permission: 'audit' } },
    async (request, reply) => {
      const { after = '0', limit = '100', wait = '0' } = request.query
      const { tenant } = callerOf(request)
      const end = performance.now() + Number(wait) * 1000
      const changes = await changesBy(end, reply, () => store.changes(tenant, Number(after), Number(limit)))
      note(request, { count: changes.length })
      reply.header('cache-control', 'no-store')
      return { changes, last: changes.at(-1)?.sequence ?? Number(after) }
    },
  )
}
