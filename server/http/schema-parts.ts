/** A reference to a schema of the API description. */
export function component(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` }
}

/** Any text. */
export const string = { type: 'string' }
/** A text, or null. */
export const optionalText = { type: ['string', 'null'] }
/** RFC 3339. */
export const time = { type: 'string', format: 'date-time' }
/** A whole number from 0. */
export const integer = { type: 'integer', minimum: 0 }

/** An object of the answers; all of its members are there but the optional ones. */
export function object(description: string, properties: Record<string, unknown>, optional: readonly string[] = []) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { description, type: 'object', properties, required }
}

/** A list of the answers. */
export function list(description: string, items: unknown) {
  return { description, type: 'array', items }
}
