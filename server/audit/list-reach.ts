import { type Kysely, sql } from 'kysely'
import { type Driving, drivings } from './list-driving.ts'
import { type ListRequest, leftOpen } from './list-request.ts'
import type { AuditTables } from './tables.ts'

/** Rows of what drives a list that one page looks at; then it ends, however few of them matched. */
export const examined = 500

/** How many of what can drive are compared, those first that are usually narrow. */
const compared = 6

/** What drives a page, and how far back it looks. */
export interface Reach {
  /** Undefined without a filter. */
  readonly driving?: Driving
  /** The last id that is looked at; undefined when everything is. */
  readonly floor?: string
}

/**
 * What reaches furthest back within the rows of one page. One index seldom holds two filters, and two common values that
 * hardly meet would else be sought through all verdicts that have one of them.
 */
export async function reachOf(db: Kysely<AuditTables>, request: ListRequest): Promise<Reach> {
  const own = request.filter.text === undefined || request.dialect === 'postgres' || (await isAlone(db, request.tenant))
  const candidatesOf = (asked: ListRequest) => {
    return drivings(asked)
      .filter(({ shared }) => own || shared !== true)
      .slice(0, compared)
  }
  const candidates = candidatesOf(request)
  const [first] = candidates
  if (first === undefined) return {}
  // Every verdict of what drives is one of the list.
  if (leftOpen(request.filter, first.settled).length === 0) return { driving: first }
  const { rows } = await reachQuery(candidates, request).execute(db)
  const floors = candidates.map((_, place) => rows.find((row) => Number(row.place) === place)?.floor ?? '')
  const floor = floors.toSorted()[0] ?? ''
  const place = floors.indexOf(floor)
  if (floor === '') return { driving: candidates[place] ?? first }
  return { driving: candidatesOf({ ...request, floor })[place] ?? first, floor }
}

/**
 * Whether no other tenant has verdicts. SQLite's index of text holds all tenants' names: if it drove, the length of a page
 * would tell one tenant whether a text stands in the names of others.
 */
async function isAlone(db: Kysely<AuditTables>, tenant: string): Promise<boolean> {
  const { rows } = await aloneQuery.execute(db)
  return rows.every((row) => row.first === tenant && row.last === tenant)
}

/** The query that tells the first and the last tenant with verdicts. */
export const aloneQuery = sql<{ readonly first: string | null; readonly last: string | null }>`SELECT
  (SELECT tenant FROM verdicts ORDER BY tenant LIMIT 1) AS first,
  (SELECT tenant FROM verdicts ORDER BY tenant DESC LIMIT 1) AS last`

/** The query that tells the last row of each candidate that one page looks at; it reads indexes alone. */
export function reachQuery(candidates: readonly Driving[], { examined: rows = examined }: ListRequest) {
  const floors = candidates.map(
    ({ query }, place) =>
      sql`SELECT ${sql.lit(place)} AS place, (SELECT id FROM ${query.as('candidate')} ORDER BY place DESC LIMIT 1 OFFSET ${sql.lit(rows - 1)}) AS floor`,
  )
  return sql<{ readonly place: number; readonly floor: string | null }>`${sql.join(floors, sql` UNION ALL `)}`
}
