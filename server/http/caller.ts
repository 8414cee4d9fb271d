import type { FastifyRequest } from 'fastify'
import type { Role } from '../access/roles.ts'
import { defaultTenant } from '../audit/store.ts'

/** Who sent a request, and whose record it may touch. */
export interface Caller {
  /** As verdicts and logs name it: anonymous, or the kind and the id of a credential. */
  readonly name: string
  readonly tenant: string
  readonly roles: readonly Role[]
}

/** Everybody, where nobody has to say who they are. */
export const anonymous: Caller = { name: 'anonymous', tenant: defaultTenant, roles: ['admin', 'operator'] }

const callers = new WeakMap<FastifyRequest, Caller>()

/** Remembers who sent a request, once that is known. */
export function setCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller)
}

/** The caller of a request, if it is known. */
export function knownCaller(request: FastifyRequest): Caller | undefined {
  return callers.get(request)
}

/** The caller of a request whose route is not public. Throws where nobody has asked who it is. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request)
  if (caller === undefined) throw new Error('A public route asked for its caller.')
  return caller
}
