import type { FastifyRequest } from 'fastify'
import { looksLikeKey } from '../access/key.ts'
import { ImagegateError } from '../errors.ts'
import type { Authenticate } from './access.ts'
import type { Caller } from './caller.ts'

/** Finds the caller that a credential names. Rejects with UNAUTHENTICATED, FORBIDDEN, ISSUER_UNAVAILABLE or STORE_UNAVAILABLE. */
export interface Callers {
  callerOf(credential: string): Promise<Caller>
}

/** A credential's characters; what is longer is not looked at. */
const pattern = /^Bearer +([\x21-\x7e]{1,8192})$/i

/** All that a caller without a valid credential is told, whatever is wrong with it. */
export function refused(cause?: unknown): ImagegateError {
  return new ImagegateError('UNAUTHENTICATED', 'The credential is not valid.', { cause })
}

/** Callers say who they are by Authorization: Bearer, with an API key or with a token where an issuer is configured. */
export function bearerAuthentication(keys: Callers, tokens?: Callers): Authenticate {
  return async ({ headers: { authorization } }: FastifyRequest) => {
    if (authorization === undefined) throw new ImagegateError('UNAUTHENTICATED', 'No credential was sent.')
    const credential = pattern.exec(authorization)?.[1]
    if (credential === undefined) throw refused()
    if (looksLikeKey(credential)) return keys.callerOf(credential)
    if (tokens === undefined) throw refused()
    return tokens.callerOf(credential)
  }
}
