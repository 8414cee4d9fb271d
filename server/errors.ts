import type { ErrorKind } from './error-kind.ts'
import { serviceErrors } from './service-errors.ts'

/**
 * Every error that imagegate can answer, declared once; what no request can cause stands in service-errors.ts.
 * docs/errors.md is compared with this table by a test.
 */
export const errorKinds = {
  REQUEST_MALFORMED: {
    status: 400,
    title: 'The request is not valid HTTP',
    mend: 'Check the address, the headers and the length of the body.',
  },
  JSON_MALFORMED: { status: 400, title: 'The body is not JSON', mend: 'Send one JSON document in UTF-8.' },
  TEXT_NOT_UNICODE: {
    status: 400,
    title: 'The text is not valid Unicode',
    mend: 'Encode it in UTF-8 and escape no lone surrogate.',
  },
  NAME_FORBIDDEN: {
    status: 400,
    title: 'A member name is not allowed',
    mend: 'Remove members named __proto__, constructor or prototype.',
  },
  NAME_DUPLICATE: {
    status: 400,
    title: 'A member name stands twice in one object',
    mend: 'State every member once; which of two values counts would be a guess.',
  },
  DOCUMENT_TOO_DEEP: { status: 400, title: 'The document is nested too deeply', mend: 'Nest at most 32 levels.' },
  DOCUMENT_TOO_LONG: {
    status: 400,
    title: 'A list or an object is too long',
    mend: 'Keep every list and object within 4096 members; the schema names tighter limits.',
  },
  OPTION_INVALID: {
    status: 400,
    title: 'An option is not valid',
    mend: 'See the option in the API description at /docs, or in --help.',
  },
  CURSOR_INVALID: {
    status: 400,
    title: 'The cursor is not valid',
    mend: 'Use the cursor exactly as the last page gave it, with the same filters, or start again without one.',
  },
  IDEMPOTENCY_KEY_INVALID: {
    status: 400,
    title: 'The Idempotency-Key header is not valid',
    mend: 'Send 1 to 255 visible ASCII characters, once.',
  },
  UNAUTHENTICATED: {
    status: 401,
    title: 'The request does not say validly who sends it',
    mend: 'Send Authorization: Bearer with an API key of imagegate keys create, or with a token of the configured issuer.',
  },
  FORBIDDEN: {
    status: 403,
    title: 'The caller may not do this',
    mend: 'Use a credential whose role includes it; SECURITY.md lists what each role may do.',
  },
  ROUTE_NOT_FOUND: { status: 404, title: 'There is nothing at this address', mend: 'See the addresses at /docs.' },
  VERDICT_NOT_FOUND: {
    status: 404,
    title: 'There is no such verdict',
    mend: 'Check the id; GET /v1/verdicts lists those that are recorded.',
  },
  POLICY_NOT_FOUND: {
    status: 404,
    title: 'There is no such policy',
    mend: 'GET /v1/policies lists families and versions.',
  },
  CANDIDATE_NOT_FOUND: {
    status: 404,
    title: 'No candidate of this family is tried',
    mend: 'Set IMAGEGATE_POLICY_CANDIDATE to a policy file of the family, and reload or restart the service.',
  },
  API_KEY_NOT_FOUND: {
    status: 404,
    title: 'There is no such API key in use',
    mend: 'Check the id; imagegate keys list shows all keys.',
  },
  SCHEMA_NOT_FOUND: { status: 404, title: 'There is no such schema', mend: 'GET /v1/schemas lists them.' },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'The method is not allowed here',
    mend: 'Use one of the methods of the Allow header.',
  },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive', mend: 'Send it again, faster.' },
  PROOF_PENDING: {
    status: 409,
    title: 'There is no proof of this verdict yet',
    mend: 'Try again after the time of the Retry-After header: the next checkpoint covers it, where IMAGEGATE_CHECKPOINT_KEY is set.',
  },
  FACTS_EXPIRED: {
    status: 410,
    title: 'The facts of this verdict are no longer kept',
    mend: 'The verdict and its digests remain; the fact document was removed by retention.',
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The body is too large',
    mend: 'A fact document may have at most 1 MiB; send several as NDJSON lines to /v1/evaluations/batch.',
  },
  MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    title: 'The media type is not supported',
    mend: 'Send application/json, or application/x-ndjson to /v1/evaluations/batch.',
  },
  HOST_REFUSED: {
    status: 421,
    title: 'The request names another host',
    mend: 'Use localhost or the loopback address; with IMAGEGATE_AUTHENTICATION=required any name is answered.',
  },
  FACTS_INVALID: {
    status: 422,
    title: 'The fact document does not match its schema',
    mend: 'Correct the members that problems names; GET /v1/schemas/facts describes every one.',
  },
  ATTESTATION_INVALID: {
    status: 422,
    title: 'The attestation cannot be used',
    mend: 'Correct the members that problems names; imagegate check --help shows the shape. What was observed cannot be attested otherwise.',
  },
  SECRET_REFUSED: {
    status: 422,
    title: 'The document carries what looks like a secret',
    mend: 'Remove it: imagegate takes properties of passwords, never a password, a hash of one, or a private key.',
  },
  AS_OF_WITH_PIN: {
    status: 422,
    title: 'asOf and policyVersion exclude each other',
    mend: 'Give one of them, or neither.',
  },
  POLICY_NOT_IN_FORCE: {
    status: 422,
    title: 'No policy was in force at that instant',
    mend: 'Choose a later asOf; GET /v1/policies tells since when each version is in force.',
  },
  POLICY_VERSION_UNKNOWN: {
    status: 422,
    title: 'The pinned policy version cannot be used',
    mend: 'Pin a version of the family that GET /v1/policies lists and that is not withdrawn.',
  },
  IMPORT_AS_CONFLICT: {
    status: 422,
    title: 'importAs does not fit the operating system',
    mend: 'The non-standard types are for Linux images; leave importAs out.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    mend: 'Use a new key for a new document or other options.',
  },
  RATE_LIMITED: {
    status: 429,
    title: 'There were too many requests',
    mend: 'Try again after the time of the Retry-After header; the RateLimit headers tell what is left.',
  },
  HEADERS_TOO_LARGE: { status: 431, title: 'The request headers are too large', mend: 'Keep them within 16 KiB.' },
  INTERNAL: {
    status: 500,
    title: 'Something is wrong in imagegate itself',
    mend: 'Report it with the request id; nothing was acknowledged.',
  },
  STORE_UNAVAILABLE: {
    status: 503,
    title: 'The audit record cannot be written or read now',
    mend: 'Try again after the time of the Retry-After header, best with an Idempotency-Key; nothing was acknowledged.',
  },
  OVERLOADED: {
    status: 503,
    title: 'The service is overloaded',
    mend: 'Try again after the time of the Retry-After header.',
  },
  ISSUER_UNAVAILABLE: {
    status: 503,
    title: 'The token cannot be checked now',
    mend: 'Try again after the time of the Retry-After header, or use an API key; the issuer of tokens cannot be reached.',
  },
  SHUTTING_DOWN: {
    status: 503,
    title: 'The service is shutting down',
    mend: 'Try again after the time of the Retry-After header; another instance may answer at once.',
  },
  ...serviceErrors,
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorKinds

/** One place where something is wrong. Lines and columns count from 1. */
export interface Problem {
  /** JSON Pointer into the document; a part that must not be repeated is written as (redacted). */
  readonly pointer?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** What was found and what was expected. Never the value of a secret. */
  readonly message: string
}

/** At most this many problems are reported; the total is always told. */
export const maxProblems = 100

/** The one error that imagegate throws on purpose. Its detail and problems are safe to show and to log. */
export class ImagegateError extends Error {
  readonly code: ErrorCode
  /** The first hundred problems. */
  readonly problems: readonly Problem[]
  /** How many problems there are in all. */
  readonly total: number

  constructor(
    code: ErrorCode,
    detail: string,
    options: { problems?: readonly Problem[]; total?: number; cause?: unknown } = {},
  ) {
    super(detail, 'cause' in options ? { cause: options.cause } : {})
    this.name = 'ImagegateError'
    this.code = code
    this.problems = (options.problems ?? []).slice(0, maxProblems)
    this.total = options.total ?? options.problems?.length ?? 0
  }
}
