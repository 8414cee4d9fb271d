import canonicalizeValue from 'canonicalize'

/** Canonical JSON (RFC 8785) by an implementation that is not ours. */
export function canonical(value: unknown): string {
  const text = canonicalizeValue(value)
  if (text === undefined) throw new TypeError('no JSON form')
  return text
}
