import { createHash } from 'node:crypto'

/** SHA-256 as `sha256:<hex>`, over bytes or the UTF-8 form of a text. */
export function sha256(data: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  const copy: Record<string, unknown> = {}
  for (const name of Object.keys(value).sort()) copy[name] = sorted(Reflect.get(value, name))
  return copy
}

/**
 * Canonical JSON (RFC 8785) of a value that was parsed from JSON and holds no lone surrogate and no member named like an
 * integer, of which no schema of ours knows one: those, an engine puts first whatever their order of insertion.
 * A test compares it with an independent implementation; sorting a copy is four times faster.
 */
export function canonicalize(value: unknown): string {
  return JSON.stringify(sorted(value))
}
