/**
 * What a secret looks like. The list is closed and documented in SECURITY.md, which also says what a pattern cannot see.
 * A pattern must not match what facts legitimately hold: device names, package versions, UUIDs, paths.
 */
const patterns: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['crypt-hash', /(?:^|[\s:'"=,])\$(?:1|2[abxy]?|5|6|7|y|gy|md5|sha1|scrypt|argon2(?:id?|d))\$[./A-Za-z0-9$=,+-]{8,}/],
  ['crypt-des-shadow-line', /^[a-z_][a-z0-9_.-]{0,31}\$?:[./A-Za-z0-9]{13}:\d*:\d*:/i],
  ['shadow-line', /^[a-z_][a-z0-9_.-]{0,31}\$?:[^:]{0,256}:\d{1,6}:\d{0,6}:\d{0,6}:\d{0,6}:\d{0,6}:\d{0,6}:/im],
  ['ldap-hash', /\{(?:S?SHA(?:256|384|512)?|S?MD5|CRYPT|PBKDF2[A-Z0-9-]*|ARGON2)\}[./A-Za-z0-9+$=,*-]{6,}/i],
  ['private-key', /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-[23]:/],
  ['url-password', /[a-z][a-z0-9+.-]*:\/\/[^\s/?#@:]*:[^\s/?#@]+@/i],
  ['pwdump-line', /^[^:]{1,256}:\d{1,10}:(?:[0-9a-f]{32}|NO PASSWORD\**):(?:[0-9a-f]{32}|NO PASSWORD\**):/im],
]

/** One test that is cheap for the common case: every pattern needs one of these characters or words. */
const trigger = /[$:{]|PRIVATE KEY/

/** Name of the first secret pattern that the text matches, undefined when none does. */
export function secretIn(text: string): string | undefined {
  if (!trigger.test(text)) return undefined
  return patterns.find(([, pattern]) => pattern.test(text))?.[0]
}

/** The names of all patterns, for the documentation. */
export const secretPatternNames: readonly string[] = patterns.map(([name]) => name)
