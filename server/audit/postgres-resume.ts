import { sql } from 'kysely'
import type pg from 'pg'
import { chainTenants } from './chain-queries.ts'
import { farAhead, idFloor, resumeAfter } from './identity.ts'
import { beginReading, inTransaction, setTenant } from './postgres-connection.ts'
import { kyselyOn } from './postgres-reader.ts'
import type { StoreLog } from './store.ts'

/**
 * The newest id of all tenants from one id to before another, or null. No index begins with the id: those that wait have
 * one of their own, and the rest are sought tenant by tenant, in the partitions of that time.
 */
export function newestQuery(from: string, to: string) {
  return sql<{ newest: string | null }>`
    WITH RECURSIVE ${chainTenants}
    SELECT greatest(
      (SELECT verdict_id FROM unsealed WHERE verdict_id >= ${from} AND verdict_id < ${to}
        ORDER BY verdict_id DESC LIMIT 1),
      (SELECT max((SELECT id FROM verdicts WHERE verdicts.tenant = tenants.tenant AND id >= ${from} AND id < ${to}
        ORDER BY id DESC LIMIT 1)) FROM tenants WHERE tenant IS NOT NULL)
    ) AS newest`
}

/** Above every id. */
const end = 'g'

/**
 * Lets this replica's identities go on after all that are recorded, whatever its clock says now. What a wrong clock
 * recorded more than an hour ahead is told and left out.
 */
export function resumeOn(pool: pg.Pool, log: StoreLog | undefined): Promise<void> {
  return inTransaction(pool, beginReading, async (connection) => {
    await setTenant(connection, '*')
    const now = Date.now()
    const newest = async (before: string) => {
      const { rows } = await newestQuery(idFloor(now), before).execute(kyselyOn(connection))
      return rows[0]?.newest ?? undefined
    }
    if (resumeAfter(await newest(end), log)) return
    resumeAfter(await newest(idFloor(now + farAhead)), log)
  })
}
