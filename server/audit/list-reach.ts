import { type Kysely, sql } from 'kysely'
import { type Driving, drivings } from './list-driving.ts'
import { type ListRequest, leftOpen } from './list-request.ts'
import type { AuditTables } from './tables.ts'

/** Rows of what drives a list that one page looks at; then it ends, however few of them matched. */
export const examined = 1000

/** How many of what can drive are compared, those first that are usually narrow. */
const compared = 8

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
  const candidates = drivings(request).slice(0, compared)
  const [first] = candidates
  if (first === undefined) return {}
  if (isWhole(first, request)) return { driving: first }
  const { rows } = await reachQuery(candidates, request).execute(db)
  const floors = candidates.map((_, place) => rows.find((row) => Number(row.place) === place)?.floor ?? '')
  const furthest = floors.toSorted()[0] ?? ''
  const place = floors.indexOf(furthest)
  const driving = candidates[place] ?? first
  if (furthest === '') return { driving }
  const floor = driving.shared ? await ownFloor(db, request, furthest) : furthest
  return { driving: drivings({ ...request, floor })[place] ?? driving, floor }
}

/** Of what is shared the nearest id of the tenant's own; its own verdicts reach less far, so there is one. */
async function ownFloor(db: Kysely<AuditTables>, { tenant }: ListRequest, floor: string): Promise<string> {
  const nearest = db.selectFrom('verdicts').select('id').where('tenant', '=', tenant).where('id', '>=', floor)
  return (await nearest.orderBy('id').limit(1).executeTakeFirstOrThrow()).id
}

/** Whether every verdict of what drives is one of the list. */
function isWhole(driving: Driving, { filter }: ListRequest): boolean {
  return driving.shared !== true && leftOpen(filter, driving.settled).length === 0
}

/** The query that tells the last row of each candidate that one page looks at; it reads indexes alone. */
export function reachQuery(candidates: readonly Driving[], { examined: rows = examined }: ListRequest) {
  const floors = candidates.map(
    ({ query }, place) =>
      sql`SELECT ${sql.lit(place)} AS place, (SELECT id FROM ${query.as('candidate')} ORDER BY place DESC LIMIT 1 OFFSET ${sql.lit(rows - 1)}) AS floor`,
  )
  return sql<{ readonly place: number; readonly floor: string | null }>`${sql.join(floors, sql` UNION ALL `)}`
}
