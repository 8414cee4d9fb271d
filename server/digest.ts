import { createHash } from 'node:crypto'
import canonicalizeValue from 'canonicalize'

/** SHA-256 as `sha256:<hex>`, over bytes or the UTF-8 form of a text. */
export function sha256(data: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`
}

/** Canonical JSON (RFC 8785). Throws a TypeError for what JSON cannot hold: undefined, NaN and infinities. */
export function canonicalize(value: unknown): string {
  const text = canonicalizeValue(value)
  if (text === undefined) throw new TypeError('The value has no JSON form.')
  return text
}
