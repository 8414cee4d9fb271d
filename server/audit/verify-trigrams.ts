import { idFloor, timeOfId } from './identity.ts'
import { type AuditSnapshot, oneRow } from './snapshot.ts'
import type { AnyRow } from './verify-record.ts'

/**
 * A tenant's rows of PostgreSQL's image_trigrams in the order of the verdicts' ids, month by month, as the table is
 * partitioned: a name has some twenty, and all of them at once would be sorted on the disk of the database that is in use.
 */
export async function* trigramsByVerdict(snapshot: AuditSnapshot, tenant: string): AsyncGenerator<AnyRow, void, void> {
  let from = ''
  for (;;) {
    const first = from
    const verdict = await oneRow(snapshot, (db) =>
      db
        .selectFrom('verdicts')
        .select('id')
        .where('tenant', '=', tenant)
        .where('id', '>=', first)
        .orderBy('id')
        .limit(1),
    )
    const end = verdict && nextMonth(verdict.id)
    yield* snapshot.rows<AnyRow>((db) => {
      const rows = db.selectFrom('image_trigrams').selectAll().where('tenant', '=', tenant).orderBy('verdict_id')
      const later = rows.where('verdict_id', '>=', first)
      return end === undefined ? later : later.where('verdict_id', '<', end)
    })
    if (end === undefined) return
    from = end
  }
}

/** A bound of all ids after the month of one; undefined when that is no id, which somebody has changed. */
function nextMonth(id: string): string | undefined {
  const time = new Date(timeOfId(id))
  const next = Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + 1)
  if (Number.isNaN(next)) return undefined
  const bound = idFloor(next)
  return bound > id ? bound : undefined
}
