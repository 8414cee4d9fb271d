import { type Kysely, sql } from 'kysely'
import { columnQueries, type Driving, drivingQueries, tenantQuery } from './list-driving.ts'
import { namesOne } from './list-query.ts'
import type { ListRequest } from './list-request.ts'
import type { AuditTables } from './tables.ts'
import { counted, type Dialect } from './text-search.ts'

type DialectRequest = ListRequest & { readonly dialect: Dialect }

/**
 * What drives a list of several filters of which one is rare: that one, however narrow the others usually are. Undefined
 * when there is no choice, or when all of them are common.
 */
export async function rarestDriving(db: Kysely<AuditTables>, request: DialectRequest): Promise<Driving | undefined> {
  const candidates = rareCandidates(request)
  if (candidates.length === 0) return undefined
  const { rows } = await rarityQuery(candidates).execute(db)
  const counts = new Map(rows.map(({ place, found }) => [Number(place), Number(found)]))
  const fewest = Math.min(...counts.values())
  const rare = fewest === counted ? undefined : candidates.find((_, place) => counts.get(place) === fewest)
  return rare && { ...rare, oneByOne: request.dialect === 'postgres' }
}

/** What may be rare, of filters that leave a choice. */
export function rareCandidates(request: DialectRequest): readonly Driving[] {
  const { dialect, filter } = request
  if (namesOne(filter)) return []
  const candidates = [...drivingQueries(request), ...columnQueries(request)]
  if (filter.text === undefined) return candidates.length < 2 ? [] : candidates
  // SQLite's index of text holds all tenants' names, so that a small one would look through those of the others.
  return dialect === 'sqlite' ? [tenantQuery(request), ...candidates] : candidates
}

/** The query that counts the rows of each candidate up to a bound. */
export function rarityQuery(candidates: readonly Driving[]) {
  const counts = candidates.map(
    ({ query }, place) =>
      sql`SELECT ${sql.lit(place)} AS place, (SELECT count(*) FROM (SELECT 1 FROM ${query.as('candidate')} LIMIT ${sql.lit(counted)}) AS bounded) AS found`,
  )
  return sql<{ readonly place: number; readonly found: number }>`${sql.join(counts, sql` UNION ALL `)}`
}
