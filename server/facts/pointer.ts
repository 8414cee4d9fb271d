/** Splits a JSON Pointer (RFC 6901) into its unescaped tokens. The pointer must be valid. */
export function pointerTokens(pointer: string): string[] {
  if (pointer === '') return []
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Appends one token to a JSON Pointer, escaping it. */
export function pointerTo(pointer: string, token: string | number): string {
  if (typeof token === 'number') return `${pointer}/${token}`
  return `${pointer}/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** True for an object that is not a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The own member of an object or list, undefined when there is none. */
export function member(value: unknown, token: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, token)) return undefined
  return Reflect.get(value, token)
}

/** The value that a pointer's tokens lead to, undefined when there is none. */
export function resolveTokens(value: unknown, tokens: readonly string[]): unknown {
  let found = value
  for (const token of tokens) {
    if (found === undefined) return undefined
    found = member(found, token)
  }
  return found
}

/** True when prefix is the pointer itself or stands above it. */
export function isAbove(prefix: string, pointer: string): boolean {
  return pointer.startsWith(prefix) && (pointer.length === prefix.length || pointer[prefix.length] === '/')
}
