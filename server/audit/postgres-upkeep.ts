import type pg from 'pg'
import { beginReplaceable, beginWriting, inTransaction, setTenant } from './postgres-connection.ts'
import { reasonOf } from './postgres-errors.ts'
import { makeNextPartitions } from './postgres-partitions.ts'
import type { StoreLog } from './store.ts'

const minute = 60_000
const hour = 60 * minute
const keepKeys = 24 * hour
const purgeAtOnce = 2000

/** Deletes at most `limit` idempotency keys that are older than a time in milliseconds since 1970, and says how many. */
export function purgeKeys(pool: pg.Pool, before: number, limit: number): Promise<number> {
  return inTransaction(pool, beginWriting, async (connection) => {
    await setTenant(connection, '*')
    // What another replica deletes at this moment is skipped, not waited for.
    const { rowCount } = await connection.query(
      `DELETE FROM idempotency_keys WHERE (tenant, key) IN (
         SELECT tenant, key FROM idempotency_keys WHERE created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
       )`,
      [before, limit],
    )
    return rowCount ?? 0
  })
}

/** Forgets the counts of callers that have made no request for a day. */
async function purgeCounts(pool: pg.Pool): Promise<void> {
  await inTransaction(pool, beginReplaceable, (connection) =>
    connection.query('DELETE FROM request_counts WHERE window_start < $1', [Date.now() - 24 * hour]),
  )
}

/** What a replica does beside its requests: old idempotency keys go each minute, partitions are made each day. */
export class Upkeep {
  readonly #pool: pg.Pool
  readonly #log: StoreLog | undefined
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #nextPartitions = Date.now() + 24 * hour

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
      while ((await purgeKeys(this.#pool, Date.now() - keepKeys, purgeAtOnce)) === purgeAtOnce) {}
      if (Date.now() < this.#nextPartitions) return
      // Should it fail, what comes meanwhile goes to the default partition.
      this.#nextPartitions = Date.now() + hour
      await purgeCounts(this.#pool)
      await makeNextPartitions(this.#pool)
      this.#nextPartitions = Date.now() + 24 * hour
    } catch (error) {
      this.#log?.warn(reasonOf(error), 'The upkeep of the database failed and is tried again')
    }
  }
}
