import type { Account } from '../documents/facts.ts'
import { programVersion } from '../version.ts'
import type { Attestation } from './attest.ts'

type PasswordProperties = NonNullable<Account['passwordProperties']>

/** Accounts whose password can be attested. */
export const passwordAccounts = ['root', 'administrator'] as const

/** The account of --attest-password. */
export type PasswordAccount = (typeof passwordAccounts)[number]

const specials = new Set(Buffer.from("()`~!@#$%^&*-_+=|{}[]:;'<>,.?/"))
const slash = 0x2f

function isBetween(byte: number, first: string, last: string): boolean {
  return byte >= first.charCodeAt(0) && byte <= last.charCodeAt(0)
}

/**
 * Length in characters and classes of a password in UTF-8. It is read byte by byte, because a string of it could not be cleared; the
 * caller clears the bytes.
 */
export function passwordProperties(password: Uint8Array): PasswordProperties {
  const found = { upper: false, lower: false, digit: false, special: false, other: false }
  let length = 0
  for (const byte of password) {
    if (byte >= 0x80 && byte < 0xc0) continue
    length += 1
    if (isBetween(byte, 'A', 'Z')) found.upper = true
    else if (isBetween(byte, 'a', 'z')) found.lower = true
    else if (isBetween(byte, '0', '9')) found.digit = true
    else if (specials.has(byte)) found.special = true
    else found.other = true
  }
  return {
    length,
    hasUppercase: found.upper,
    hasLowercase: found.lower,
    hasDigit: found.digit,
    hasSpecial: found.special,
    hasOther: found.other,
    startsWithSlash: password[0] === slash,
  }
}

/** What whoever typed an account's password attests by it; `at` is RFC 3339, UTC. */
export function passwordAttestation(account: PasswordAccount, properties: PasswordProperties, at: string): Attestation {
  const one: Account = { password: properties.length === 0 ? 'empty' : 'set', passwordProperties: properties }
  return {
    facts: { accounts: account === 'root' ? { root: one } : { administrator: one } },
    origin: {
      collector: 'operator',
      version: programVersion(),
      method: `--attest-password ${account}: computed from what was typed, which was not kept`,
      basis: 'attested',
      at,
    },
  }
}
