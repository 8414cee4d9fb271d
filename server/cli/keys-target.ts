import { openStore } from '../audit/open.ts'
import type { Store } from '../audit/store.ts'
import type { TargetOptions } from './db-target.ts'
import { databaseOf, existingDatabase } from './records.ts'
import type { Terminal } from './terminal.ts'

/** Opens the store, uses it and closes it whatever happens. One that is not there is made only on demand. */
export async function withStore<T>(
  { database, make = false }: TargetOptions & { readonly make?: boolean },
  terminal: Terminal,
  use: (store: Store) => Promise<T>,
): Promise<T> {
  const place = make ? databaseOf(database, terminal) : existingDatabase(database, terminal)
  const store = await openStore(place)
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of a duration such as 90m, 24h or 365d; undefined for what is none. */
export function durationOf(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * (units[unit] ?? 0)
}

/** An instant: a duration from now, or RFC 3339 in UTC, or a date, which is its midnight; undefined for what is none. */
export function instantOf(text: string, now: Date): string | undefined {
  const duration = durationOf(text)
  if (duration !== undefined) return new Date(now.getTime() + duration).toISOString()
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(time)) return undefined
  const date = new Date(time)
  return Number.isNaN(date.getTime()) || date.toISOString().slice(0, 19) !== time.slice(0, 19)
    ? undefined
    : date.toISOString()
}
