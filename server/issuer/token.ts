import { errors, type JWTPayload, jwtVerify } from 'jose'
import { isTenant } from '../access/key.ts'
import { isRole, type Role } from '../access/roles.ts'
import { ImagegateError } from '../errors.ts'
import { pointerTokens, resolveTokens } from '../facts/pointer.ts'
import { issuerKeys, type KeySetOptions } from './key-set.ts'

/** Which tokens are accepted, and what they say of their bearer. */
export interface IssuerOptions extends KeySetOptions {
  readonly audience: string
  /** Signature algorithms; never none, and never one whose key the verifier shares (HS…). */
  readonly algorithms: readonly string[]
  /** JSON Pointer of the claim that names the tenant. */
  readonly tenantClaim: string
  /** JSON Pointer of the claim that names a role, or of a list of them. */
  readonly rolesClaim: string
  /** What the claim says for which role; a role's own name where this is empty. */
  readonly roleNames: Readonly<Record<string, string>>
}

/** Whom a token names. */
export interface Bearer {
  readonly subject: string
  readonly tenant: string
  readonly roles: readonly Role[]
  /** Seconds since 1970. */
  readonly expires: number
}

/** How far the clocks of issuer and service may differ, in seconds. */
const clockTolerance = 5

function refused(cause: unknown): ImagegateError {
  return new ImagegateError('UNAUTHENTICATED', 'The credential is not valid.', { cause })
}

function rolesOf(claim: unknown, names: Readonly<Record<string, string>>): readonly Role[] {
  const mapped = Object.keys(names).length > 0
  const said = [claim]
    .flat()
    .map((name) => (mapped && typeof name === 'string' ? Object.hasOwn(names, name) && names[name] : name))
  return said.filter(isRole)
}

function bearerOf(claims: JWTPayload, { tenantClaim, rolesClaim, roleNames }: IssuerOptions): Bearer {
  const { sub: subject, exp: expires } = claims
  if (typeof subject !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(subject) || expires === undefined) {
    throw refused('no subject of 1 to 200 visible characters')
  }
  const tenant = resolveTokens(claims, pointerTokens(tenantClaim))
  const roles = rolesOf(resolveTokens(claims, pointerTokens(rolesClaim)), roleNames)
  if (!isTenant(tenant) || roles.length === 0) {
    throw new ImagegateError('FORBIDDEN', 'The token names no tenant, or no role, of this service.')
  }
  return { subject, tenant, roles, expires }
}

/** Verifies tokens of one issuer. The result rejects with UNAUTHENTICATED, FORBIDDEN or ISSUER_UNAVAILABLE. */
export function tokenVerifier(options: IssuerOptions, now: () => Date): (token: string) => Promise<Bearer> {
  const keys = issuerKeys(options)
  const { issuer, audience, algorithms } = options
  return async (token) => {
    const requiredClaims = ['exp', 'sub']
    const asked = { issuer, audience, algorithms: [...algorithms], clockTolerance, requiredClaims, currentDate: now() }
    try {
      const { payload } = await jwtVerify(token, keys, asked)
      return bearerOf(payload, options)
    } catch (error) {
      if (error instanceof ImagegateError) throw error
      if (error instanceof errors.JWKSInvalid) {
        throw new ImagegateError('ISSUER_UNAVAILABLE', 'The keys of the issuer cannot be read.', { cause: error })
      }
      throw refused(error)
    }
  }
}
