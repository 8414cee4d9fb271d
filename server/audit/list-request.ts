import { type Expression, expressionBuilder, type SqlBool } from 'kysely'
import { idFloor, maxSkew } from './identity.ts'
import type { ListPosition } from './list-position.ts'
import type { VerdictFilter } from './store.ts'
import type { AuditTables } from './tables.ts'
import { firstMillisecond } from './times.ts'

/** What a list asks for. */
export interface ListRequest {
  readonly tenant: string
  readonly filter: VerdictFilter
  /** Greatest number of rows. */
  readonly limit: number
  readonly position?: ListPosition | undefined
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
export function idRange({ filter, position }: Pick<ListRequest, 'filter' | 'position'>): {
  readonly first?: string
  readonly end?: string
} {
  const ends = [
    ...(position === undefined ? [] : [position.before]),
    ...(filter.to === undefined ? [] : [idFloor(firstMillisecond(filter.to) + maxSkew)]),
  ]
  const [end] = ends.sort()
  return {
    ...(filter.from !== undefined && { first: idFloor(firstMillisecond(filter.from) - maxSkew) }),
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
