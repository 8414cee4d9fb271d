import { createHash, randomBytes } from 'node:crypto'
import { sha256 } from '../digest.ts'

const prefix = 'imagegate_'
const letters = 'abcdefghijklmnopqrstuvwxyz234567'

/** prefix, id, a secret of 256 bits, and 40 bits that tell a key from what only looks like one. */
const pattern = /^imagegate_(?<id>[a-z2-7]{16})_[a-z2-7]{52}[a-z2-7]{8}$/
const checkLength = 8

/** An API key as its owner has it, and what is kept of it. */
export interface NewKey {
  /** 80 random bits; names the key and is no secret. */
  readonly id: string
  /** To be shown once and kept nowhere. */
  readonly text: string
  /** SHA-256 of the text. */
  readonly digest: string
}

/** Base 32 of RFC 4648 in lower case, without padding. */
function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += letters[(held >> bits) & 31] ?? ''
    }
    held &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + (letters[(held << (5 - bits)) & 31] ?? '')
}

/** The first 40 bits of the SHA-256 of all that stands before them. */
function checkOf(text: string): string {
  return base32(createHash('sha256').update(text).digest().subarray(0, 5))
}

/** A new key of 256 random bits. */
export function makeKey(): NewKey {
  const id = base32(randomBytes(10))
  const body = `${prefix}${id}_${base32(randomBytes(32))}`
  const text = body + checkOf(body)
  return { id, text, digest: sha256(text) }
}

/** Whether a credential is meant as an API key and not as a token of an issuer, which has dots. */
export function looksLikeKey(text: string): boolean {
  return text.startsWith(prefix)
}

/** The id in the text of a key, and the digest of the whole; undefined for what no key can be. */
export function readKey(text: string): Pick<NewKey, 'id' | 'digest'> | undefined {
  const id = pattern.exec(text)?.groups?.['id']
  if (id === undefined || checkOf(text.slice(0, -checkLength)) !== text.slice(-checkLength)) return undefined
  return { id, digest: sha256(text) }
}

/** Whether a text may name a tenant: 1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first. */
export function isTenant(text: unknown): text is string {
  return typeof text === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)
}
