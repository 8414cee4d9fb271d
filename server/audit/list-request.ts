import { type Expression, expressionBuilder, type SqlBool } from 'kysely'
import { idFloor, maxSkew } from './identity.ts'
import type { ListPosition } from './list-position.ts'
import type { VerdictFilter } from './store.ts'
import type { AuditTables } from './tables.ts'
import { firstMillisecond } from './times.ts'

/** The databases that queries are written for. */
export type Dialect = 'sqlite' | 'postgres'

/** What a list asks for. */
export interface ListRequest {
  readonly dialect: Dialect
  readonly tenant: string
  readonly filter: VerdictFilter
  /** Greatest number of rows. */
  readonly limit: number
  readonly position?: ListPosition | undefined
  /** The last id that is looked at. */
  readonly floor?: string | undefined
  /** Rows of what drives the list that one page looks at; the usual number when left out. */
  readonly examined?: number
}

/** The filters that are not settled, but for the times, which every index bounds. */
export function leftOpen(filter: VerdictFilter, settled: readonly (keyof VerdictFilter)[]): readonly string[] {
  const bounded: readonly string[] = ['from', 'to', ...settled]
  return Object.keys(filter).filter((name) => !bounded.includes(name))
}

const eb = expressionBuilder<
  AuditTables,
  'verdicts' | 'findings' | 'missing_facts' | 'finding_kinds' | 'image_texts' | 'image_trigrams'
>()

type IdColumn =
  | 'verdicts.id'
  | 'findings.verdict_id'
  | 'missing_facts.verdict_id'
  | 'finding_kinds.verdict_id'
  | 'image_texts.verdict_id'
  | 'image_trigrams.verdict_id'

/** The ids among which a list lies: from the first on and below the end, where there are such bounds. */
export function idRange({ filter, position, floor }: Pick<ListRequest, 'filter' | 'position' | 'floor'>): {
  readonly first?: string
  readonly end?: string
} {
  const ends = [
    ...(position === undefined ? [] : [position.before]),
    ...(filter.to === undefined ? [] : [idFloor(firstMillisecond(filter.to) + maxSkew)]),
  ]
  const begins = [
    ...(floor === undefined ? [] : [floor]),
    ...(filter.from === undefined ? [] : [idFloor(firstMillisecond(filter.from) - maxSkew)]),
  ]
  const [end] = ends.sort()
  const first = begins.sort().at(-1)
  return {
    ...(first !== undefined && { first }),
    ...(end !== undefined && { end }),
  }
}

/** A range of ids that holds every id of the times asked for; recorded_at then decides. Lower-case hex sorts as ids do. */
export function idBounds(request: ListRequest, column: IdColumn): Expression<SqlBool> {
  const { first, end } = idRange(request)
  const { position } = request
  return eb.and([
    ...(first === undefined ? [] : [eb(column, '>=', first)]),
    ...(end === undefined ? [] : [eb(column, '<', end)]),
    ...(position === undefined || (end !== undefined && position.upTo >= end) ? [] : [eb(column, '<=', position.upTo)]),
  ])
}
