import helmet from '@fastify/helmet'
import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import { isLoopback } from '../config-access.ts'
import { ImagegateError } from '../errors.ts'
import type { Deps } from './deps.ts'

class Overloaded extends ImagegateError {
  constructor() {
    super('OVERLOADED', 'The process is too busy to answer in time.')
  }
}

/** Security headers on every answer, no answer under a foreign name on loopback, and OVERLOADED instead of a growing queue. */
export async function protect(app: FastifyInstance, { limits, tls }: Pick<Deps, 'limits' | 'tls'>): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"] },
    },
    // Plain HTTP says nothing about the transport; what terminates TLS in front does.
    strictTransportSecurity: tls === undefined ? false : { maxAge: 31_536_000, includeSubDomains: false },
    referrerPolicy: { policy: 'no-referrer' },
  })
  if (limits.loopbackOnly) {
    app.addHook('onRequest', async ({ hostname }) => {
      if (isLoopback(hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase())) return
      throw new ImagegateError('HOST_REFUSED', 'The Host header names a host that is not loopback.')
    })
  }
  await app.register(underPressure, { maxEventLoopDelay: limits.maxDelayMs, customError: Overloaded })
}
