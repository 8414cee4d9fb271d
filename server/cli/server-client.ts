import { type ErrorCode, errorKinds, ImagegateError, type Problem } from '../errors.ts'
import type { ServerPlace } from './server-place.ts'
import { UsageError } from './usage.ts'

const timeoutMs = 60_000

type Query = Readonly<Record<string, string>>

/** Reads text from one server; every error it may answer is thrown as the ImagegateError that it tells of. */
export type Get = (path: string, query?: Query) => Promise<string>

/** Posts JSON to one server and gives the text of its answer; errors as with Get. */
export type Send = (path: string, query: Query, body: string) => Promise<string>

/** What a server refused, and after how many seconds it says to ask again. */
export class Refusal extends ImagegateError {
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, detail: string, problems: readonly Problem[], retryAfter: number | undefined) {
    super(code, detail, { problems })
    this.retryAfter = retryAfter
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorKinds, value)
}

/** A JSON text, or SERVER_UNREACHABLE. */
export function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw unexpected('It did not answer with JSON.')
  }
}

/** What the server answered is not what imagegate answers. */
export function unexpected(detail: string, cause?: unknown): ImagegateError {
  return new ImagegateError('SERVER_UNREACHABLE', detail, { cause })
}

function problemsOf(value: unknown): Problem[] {
  if (!Array.isArray(value)) return []
  return value.filter(isObject).flatMap(({ pointer, message }) => {
    if (typeof message !== 'string') return []
    return [typeof pointer === 'string' ? { pointer, message } : { message }]
  })
}

/** Of the two forms of the header that of seconds, which imagegate has. */
function secondsOf(retryAfter: string | null): number | undefined {
  return retryAfter !== null && /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) : undefined
}

function refusal({ status, headers }: Response, text: string): ImagegateError {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return unexpected(`It answered with status ${status}.`)
  }
  if (!isObject(value) || !isCode(value['code'])) return unexpected(`It answered with status ${status}.`)
  const { code, detail, problems } = value
  return new Refusal(code, String(detail ?? ''), problemsOf(problems), secondsOf(headers.get('retry-after')))
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  return `${error.message}: ${String(Reflect.get(cause, 'code') ?? cause.message)}`
}

function baseOf(server: string): URL {
  const address = server.endsWith('/') ? server : `${server}/`
  if (!/^https?:/.test(address) || !URL.canParse(address)) {
    throw new UsageError('--server is an http: or https: URL, such as http://127.0.0.1:8080.')
  }
  return new URL(address)
}

/** Headers of every request: a credential where there is one. */
function headersFor({ key }: ServerPlace): Record<string, string> {
  return { accept: 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) }
}

async function request(base: URL, path: string, query: Query, init: RequestInit): Promise<string> {
  const url = new URL(path, base)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  let response: Response
  let text: string
  try {
    response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) })
    text = await response.text()
  } catch (cause) {
    throw unexpected(`${base.origin} cannot be asked (${reason(cause)}).`, cause)
  }
  if (!response.ok) throw refusal(response, text)
  return text
}

/** A client of one server. Throws a UsageError for what is no address. */
export function clientOf(server: ServerPlace): Get {
  const base = baseOf(server.url)
  return (path, query = {}) => request(base, path, query, { headers: headersFor(server) })
}

/** Sends JSON to one server. Throws a UsageError for what is no address. */
export function senderOf(server: ServerPlace): Send {
  const base = baseOf(server.url)
  const headers = { ...headersFor(server), 'content-type': 'application/json' }
  return (path, query, body) => request(base, path, query, { method: 'POST', headers, body })
}
