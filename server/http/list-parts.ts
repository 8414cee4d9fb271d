/** A time in a query: RFC 3339 in UTC, or a date, which is its midnight. */
export const instant = {
  type: 'string',
  maxLength: 30,
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?Z)?$',
  anyOf: [{ format: 'date' }, { format: 'date-time' }],
  examples: ['2026-11-20T00:00:00Z'],
}

/** How many are answered at most, 1 to 500. */
export function upTo500(description: string, fallback: string) {
  return {
    description: `${description}, 1 to 500; ${fallback} when left out.`,
    type: 'string',
    pattern: '^([1-9][0-9]?|[1-4][0-9]{2}|500)$',
    default: fallback,
  }
}

/** Id of a rule. */
export function ruleId(description: string) {
  return { ...named(description, 128), pattern: '^[a-z0-9.-]+$', examples: ['linux.ext4.64bit'] }
}

/** JSON Pointer of a fact. */
export function factPointer(description: string) {
  return { ...named(description, 1024), pattern: '^(/([^~/]|~[01])+)+$', examples: ['/os/id'] }
}

/** How long a page is and where it begins. */
export const paging = {
  limit: upTo500('Length of the page', '50'),
  cursor: {
    description: 'Where the last page ended, exactly as its next; its filters hold and need not be given again.',
    type: 'string',
    maxLength: 8192,
    pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]{22}$',
  },
}

/** A query's part of a text of bounded length. */
export function named(description: string, maxLength: number) {
  return { description, type: 'string', minLength: 1, maxLength }
}

/** Those of the named filters that a query gives; a date is its midnight. */
export function givenFilter<Name extends string>(
  names: readonly Name[],
  query: Readonly<Partial<Record<Name, string>>>,
): Partial<Record<Name, string>> {
  const given: Partial<Record<Name, string>> = {}
  for (const name of names) {
    const value = query[name]
    if (value === undefined) continue
    const date = (name === 'from' || name === 'to') && /^\d{4}-\d\d-\d\d$/.test(value)
    given[name] = date ? `${value}T00:00:00Z` : value
  }
  return given
}
