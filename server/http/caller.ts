import type { FastifyRequest } from 'fastify'
import { defaultTenant } from '../audit/store.ts'

/** Who sent a request, and whose record it may touch. */
export interface Caller {
  /** As verdicts and logs name it: anonymous, or the kind and the id of a credential. */
  readonly name: string
  readonly tenant: string
}

const anonymous: Caller = { name: 'anonymous', tenant: defaultTenant }

/** The caller of a request. */
export function callerOf(_request: FastifyRequest): Caller {
  return anonymous
}
