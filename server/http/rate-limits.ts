import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Store } from '../audit/store.ts'
import { ImagegateError } from '../errors.ts'
import { callerOf } from './caller.ts'

/** How many requests are answered in a minute; 0 is without limit. A batch is one request: its lines are taken as fast as they are judged. */
export interface Rates {
  /** Of one caller. */
  readonly requestsPerMinute: number
  /** Without a valid credential, from one address (of IPv6 its /64). */
  readonly failuresPerMinute: number
}

/** Counts requests and turns away what is too much. Each rejects with RATE_LIMITED. */
export interface RateLimits {
  /** Counts a request of a known caller, and tells it what is left. */
  caller(request: FastifyRequest, reply: FastifyReply): Promise<void>
  /** Counts a request without a valid credential. */
  failure(request: FastifyRequest, reply: FastifyReply): Promise<void>
}

const windowMs = 60_000

type Count = Required<Pick<Store, 'countRequest'>>['countRequest']
type Told = Parameters<FastifyRateLimitStore['incr']>[1]

/** Counts in the store, over all replicas. What it cannot count is let through: nothing that needs it is answered anyway. */
function sharedStore(count: Count) {
  return class Shared implements FastifyRateLimitStore {
    incr(key: string, told: Told, timeWindow: number): void {
      count(key, timeWindow).then(
        ({ requests, remainingMs }) => told(null, { current: requests, ttl: remainingMs }),
        (error: Error) => told(error),
      )
    }

    child(): FastifyRateLimitStore {
      return this
    }
  }
}

/** Prepares the counting: in the store where replicas share it, else in memory. */
export async function rateLimits(
  app: FastifyInstance,
  { requestsPerMinute, failuresPerMinute }: Rates,
  store: Pick<Store, 'countRequest'>,
): Promise<RateLimits> {
  const count = store.countRequest?.bind(store)
  const shared = count && { store: sharedStore(count) }
  await app.register(rateLimit, { global: false, timeWindow: windowMs, skipOnError: true, ...shared })
  const ofCaller = app.createRateLimit({
    max: requestsPerMinute,
    keyGenerator: (request) => `${callerOf(request).tenant} ${callerOf(request).name}`,
  })
  const ofAddress = app.createRateLimit({
    max: failuresPerMinute,
    keyGenerator: ({ ip }) => `address ${rateLimit.normalizeIP(ip)}`,
  })

  function refuse(reply: FastifyReply, seconds: number): never {
    reply.header('retry-after', seconds)
    throw new ImagegateError('RATE_LIMITED', 'Too many requests in this minute.')
  }

  return {
    async caller(request, reply) {
      if (requestsPerMinute === 0) return
      const counted = await ofCaller(request)
      if (counted.isAllowed) return
      reply.header('ratelimit-limit', counted.max)
      reply.header('ratelimit-remaining', counted.remaining)
      reply.header('ratelimit-reset', counted.ttlInSeconds)
      if (counted.isExceeded) refuse(reply, counted.ttlInSeconds)
    },
    async failure(request, reply) {
      if (failuresPerMinute === 0) return
      const counted = await ofAddress(request)
      if (!counted.isAllowed && counted.isExceeded) refuse(reply, counted.ttlInSeconds)
    },
  }
}
