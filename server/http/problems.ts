import { type ErrorCode, errorKinds, ImagegateError } from '../errors.ts'

/** An error as it is answered (RFC 9457). */
export interface ProblemDocument {
  /** Relative reference; what stands there explains the code. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode
  /** The request, by the id that its log line has. */
  readonly instance: string
  /** At most a hundred. */
  readonly problems?: readonly { readonly pointer?: string; readonly message: string }[]
  /** How many problems there are in all. */
  readonly total?: number
}

/** Media type of a problem document. */
export const problemType = 'application/problem+json'

/** Seconds after which trying again makes sense. */
const retryAfter: Partial<Record<ErrorCode, number>> = {
  STORE_UNAVAILABLE: 2,
  OVERLOADED: 2,
  SHUTTING_DOWN: 5,
  ISSUER_UNAVAILABLE: 5,
  PROOF_PENDING: 30,
}

/** Value of the Retry-After header, where the error has one. */
export function retryAfterOf(code: ErrorCode): number | undefined {
  return retryAfter[code]
}

/** Fastify's own errors, and those of its plugins, by what they mean to a caller. */
const fastifyCodes: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['MEDIA_TYPE_UNSUPPORTED', 'This address does not take that media type.'],
  FST_ERR_CTP_EMPTY_TYPE: ['MEDIA_TYPE_UNSUPPORTED', 'The body has no media type.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'The body is above its limit.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['REQUEST_MALFORMED', 'The body and its Content-Length differ.'],
  FST_ERR_BAD_URL: ['REQUEST_MALFORMED', 'The address is not validly percent-encoded.'],
  FST_ERR_MAX_PARAM_LENGTH: ['ROUTE_NOT_FOUND', 'No address is that long.'],
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** The error that a caller may see; everything unforeseen is INTERNAL, without a word of its own. */
export function publicError(error: unknown): ImagegateError {
  if (error instanceof ImagegateError && errorKinds[error.code].status !== 500) return error
  const known = fastifyCodes[String(property(error, 'code'))]
  if (known !== undefined) return new ImagegateError(known[0], known[1], { cause: error })
  const status = property(error, 'statusCode')
  if (status === 403 || status === 404) return new ImagegateError('ROUTE_NOT_FOUND', 'No such file.', { cause: error })
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new ImagegateError('REQUEST_MALFORMED', 'The request cannot be answered as it is.', { cause: error })
  }
  return new ImagegateError('INTERNAL', 'The log has more under the request id.', { cause: error })
}

/** The problem document of an error. */
export function problemOf(error: ImagegateError, requestId: string): ProblemDocument {
  const { status, title } = errorKinds[error.code]
  const { code, message: detail, total } = error
  const instance = `urn:uuid:${requestId}`
  const problem = { type: `/v1/problems/${code}`, title, status, detail, code, instance }
  if (total === 0) return problem
  const problems = error.problems.map(({ pointer, message }) =>
    pointer === undefined ? { message } : { pointer, message },
  )
  return { ...problem, problems, total }
}

/** What the log may know of an unforeseen error: its kind and where it arose. Messages may quote facts. */
export function traceOf(error: unknown): { name: string; code?: string; at: string[]; cause?: unknown } {
  if (!(error instanceof Error)) return { name: typeof error, at: [] }
  const code = property(error, 'code')
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line))
  return {
    name: error.name,
    ...(typeof code === 'string' ? { code } : {}),
    at: frames.slice(0, 8).map((line) => line.trim()),
    ...(error.cause === undefined ? {} : { cause: traceOf(error.cause) }),
  }
}
