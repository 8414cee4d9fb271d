import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose'
import { isSafeUrl } from '../config-access.ts'
import { ImagegateError } from '../errors.ts'

/** What is known of an issuer's keys beforehand. */
export interface KeySetOptions {
  readonly issuer: string
  /** Where its key set is; else its description (OpenID Connect Discovery) says so. */
  readonly jwksUrl?: string
  /** Least milliseconds between two fetches for the sake of a key that is not known; 30 seconds when left out. */
  readonly cooldownMs?: number
  /** Milliseconds in which nothing is fetched after a fetch failed; 2 seconds when left out. */
  readonly pauseMs?: number
}

const timeoutMs = 5000
const maxBytes = 1 << 20

/** The keys of an issuer are out of reach: its tokens can be neither accepted nor refused. */
function unavailable(cause: unknown): ImagegateError {
  return new ImagegateError('ISSUER_UNAVAILABLE', 'The keys of the issuer cannot be read.', { cause })
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > maxBytes) throw new Error('The answer is above its limit.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function fetchJson(url: string): Promise<string> {
  const response = await fetch(url, {
    redirect: 'error',
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(timeoutMs),
  })
  if (response.status !== 200) throw new Error(`It answered with status ${response.status}.`)
  const text = await boundedText(response)
  JSON.parse(text)
  return text
}

/** Fetches no sooner than a pause after a failure, so that tokens that nobody can check cost nothing. */
class Fetcher {
  readonly #pauseMs: number
  #failedAt = Number.NEGATIVE_INFINITY

  constructor(pauseMs: number) {
    this.#pauseMs = pauseMs
  }

  async json(url: string): Promise<string> {
    if (performance.now() - this.#failedAt < this.#pauseMs) throw unavailable('a fetch failed a moment ago')
    try {
      return await fetchJson(url)
    } catch (cause) {
      this.#failedAt = performance.now()
      throw unavailable(cause)
    }
  }
}

async function discover(issuer: string, fetcher: Fetcher): Promise<string> {
  const text = await fetcher.json(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const description: { issuer?: unknown; jwks_uri?: unknown } | null = JSON.parse(text)
  if (description?.issuer !== issuer || typeof description.jwks_uri !== 'string' || !isSafeUrl(description.jwks_uri)) {
    throw unavailable('its description is of another issuer, or names no key set')
  }
  return description.jwks_uri
}

/** Looks keys up in an issuer's key set, which is fetched when it is first needed and kept for ten minutes. Rejects with ISSUER_UNAVAILABLE, or with an error of jose. */
export function issuerKeys({ issuer, jwksUrl, cooldownMs, pauseMs = 2000 }: KeySetOptions): JWTVerifyGetKey {
  const fetcher = new Fetcher(pauseMs)
  let opening: Promise<JWTVerifyGetKey> | undefined
  async function open(): Promise<JWTVerifyGetKey> {
    const url = jwksUrl ?? (await discover(issuer, fetcher))
    return createRemoteJWKSet(new URL(url), {
      ...(cooldownMs !== undefined && { cooldownDuration: cooldownMs }),
      [customFetch]: async (address: string) => new Response(await fetcher.json(address)),
    })
  }
  return async (header, token) => {
    opening ??= open().catch((error: unknown) => {
      // Only a discovery that failed is tried again; a key set that was found stays.
      opening = undefined
      throw error
    })
    return (await opening)(header, token)
  }
}
