import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { may, type Permission } from '../access/roles.ts'
import { type ErrorCode, ImagegateError } from '../errors.ts'
import { anonymous, type Caller, setCaller } from './caller.ts'
import type { RateLimits } from './rate-limits.ts'

/** Finds out who sent a request. Rejects with UNAUTHENTICATED when it does not say so well. */
export type Authenticate = (request: FastifyRequest) => Promise<Caller>

/** Everybody may do everything: for a service that only its own machine reaches. */
export const admitEverybody: Authenticate = async () => anonymous

/** The page of the API description; its routes are those of a plugin and declare nothing. */
const descriptionPage = '/docs'

function isDescription(url: string): boolean {
  return url === descriptionPage || url.startsWith(`${descriptionPage}/`)
}

const realm = 'Bearer realm="imagegate"'

/** What was sent is not valid, or nothing was sent (RFC 6750). */
function challenge({ headers }: FastifyRequest): string {
  return headers.authorization === undefined ? realm : `${realm}, error="invalid_token"`
}

function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof ImagegateError && error.code === code
}

/** Lets nobody do what they may not, on every route that is registered after this call; one that does not say what it asks is refused at the start. */
export function guard(app: FastifyInstance, authenticate: Authenticate, limits?: RateLimits): void {
  const registered: RouteOptions[] = []
  app.addHook('onRoute', (route) => {
    if (isDescription(route.url)) route.config = { ...route.config, permission: 'public' }
    const security = route.config?.permission === 'public' ? [] : [{ bearer: [] }]
    route.schema = { ...route.schema, security }
    registered.push(route)
  })
  app.addHook('onReady', async () => {
    for (const { method, url, config } of registered) {
      if (config?.permission === undefined) throw new Error(`The route ${method} ${url} declares no permission.`)
    }
  })
  app.addHook('onRequest', async (request, reply) => {
    // What is not there is told only to whom is known.
    const permission = request.is404 ? 'any' : request.routeOptions.config.permission
    if (permission === 'public') return
    const caller = await authenticate(request).catch(async (error: unknown) => {
      if (hasCode(error, 'UNAUTHENTICATED')) reply.header('www-authenticate', challenge(request))
      if (hasCode(error, 'UNAUTHENTICATED') || hasCode(error, 'FORBIDDEN')) await limits?.failure(request, reply)
      throw error
    })
    setCaller(request, caller)
    await limits?.caller(request, reply)
    if (permission !== undefined && may(caller.roles, permission)) return
    reply.header('www-authenticate', `${realm}, error="insufficient_scope"`)
    throw new ImagegateError('FORBIDDEN', 'The role of the credential does not include this.')
  })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route asks of its caller. */
    readonly permission?: Permission
  }
}
