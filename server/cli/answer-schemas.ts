import { strictAjv } from '../validators.ts'

/** Compiles what an answer of a server must look like; what it has beside that is left aside. */
export const answers = strictAjv(false)

/** Any text. */
export const text = { type: 'string' }
/** A whole number. */
export const integer = { type: 'integer' }

/** An object; all of its members are there but the optional ones. */
export function object(properties: Readonly<Record<string, unknown>>, optional: readonly string[] = []) {
  return { type: 'object', properties, required: Object.keys(properties).filter((name) => !optional.includes(name)) }
}
