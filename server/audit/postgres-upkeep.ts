import type pg from 'pg'
import { beginReplaceable, beginWriting, inTransaction, setTenant } from './postgres-connection.ts'
import { reasonOf } from './postgres-errors.ts'
import { makeNextPartitions } from './postgres-partitions.ts'
import { serverTime } from './postgres-values.ts'
import type { StoreLog } from './store.ts'

const minute = 60_000
const hour = 60 * minute
const keepKeys = 24 * hour
const purgeAtOnce = 2000

/** The oldest keys by their age, each deleted by its key. What another replica deletes at this moment is skipped, not waited for. */
export const purgeKeysSql = `DELETE FROM idempotency_keys WHERE (tenant, key) IN (
  SELECT tenant, key FROM idempotency_keys WHERE created_at < ${serverTime} - $1::bigint
  ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
)`

/** Deletes the idempotency keys that are a day old by the server's clock. */
export async function purgeKeys(pool: pg.Pool): Promise<void> {
  while ((await purgePortion(pool)) === purgeAtOnce) {}
}

function purgePortion(pool: pg.Pool): Promise<number> {
  return inTransaction(pool, beginWriting, async (connection) => {
    await setTenant(connection, '*')
    const { rowCount } = await connection.query(purgeKeysSql, [keepKeys, purgeAtOnce])
    return rowCount ?? 0
  })
}

/** Forgets the counts of callers that have made no request for a day. */
async function purgeCounts(pool: pg.Pool): Promise<void> {
  await inTransaction(pool, beginReplaceable, (connection) =>
    connection.query(`DELETE FROM request_counts WHERE window_start < ${serverTime} - $1::bigint`, [24 * hour]),
  )
}

/** What a replica does beside its requests: old idempotency keys go each minute, partitions are made each day. */
export class Upkeep {
  readonly #pool: pg.Pool
  readonly #log: StoreLog | undefined
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #nextPartitions = performance.now() + 24 * hour

  constructor(pool: pg.Pool, log: StoreLog | undefined) {
    this.#pool = pool
    this.#log = log
    this.#timer = setInterval(() => {
      this.#running = this.#running.then(() => this.#run())
    }, minute).unref()
  }

  /** Begins nothing more and waits for what runs. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      await purgeKeys(this.#pool)
      if (performance.now() < this.#nextPartitions) return
      // Should it fail, what comes meanwhile goes to the default partition.
      this.#nextPartitions = performance.now() + hour
      await purgeCounts(this.#pool)
      await makeNextPartitions(this.#pool)
      this.#nextPartitions = performance.now() + 24 * hour
    } catch (error) {
      this.#log?.warn(reasonOf(error), 'The upkeep of the database failed and is tried again')
    }
  }
}
