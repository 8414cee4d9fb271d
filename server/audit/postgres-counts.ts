import type pg from 'pg'
import { GroupCommit } from './group-commit.ts'
import { beginReplaceable, inTransaction } from './postgres-connection.ts'
import { postgresError } from './postgres-errors.ts'
import { inOrder } from './postgres-insert.ts'
import { serverTime, textArray } from './postgres-values.ts'
import type { RequestCount } from './store.ts'

/** One request that is to be counted. */
interface Counted {
  readonly caller: string
  /** Milliseconds. */
  readonly window: number
}

const limits = { batchItems: 1024, batchBytes: Number.MAX_SAFE_INTEGER, waitingItems: 8192, waitingBytes: 1 << 30 }

/** Counts requests of callers in windows of time that all replicas share, many in one statement. */
export class RequestCounts {
  readonly #pool: pg.Pool
  readonly #queue: GroupCommit<Counted, RequestCount>

  constructor(pool: pg.Pool) {
    this.#pool = pool
    this.#queue = new GroupCommit({ ...limits, commit: (requests) => this.#count(requests) })
  }

  /** As Store.countRequest. */
  add(caller: string, window: number): Promise<RequestCount> {
    return this.#queue.add({ caller, window }, 0)
  }

  close(): Promise<void> {
    return this.#queue.close()
  }

  async #count(requests: readonly Counted[]): Promise<readonly RequestCount[]> {
    const sums = new Map<string, number>()
    for (const { caller } of requests) sums.set(caller, (sums.get(caller) ?? 0) + 1)
    const rows = await this.#add(
      inOrder(requests, ({ caller }) => caller),
      sums,
    ).catch((error) => {
      throw postgresError(error)
    })
    // Of the requests of one batch each is told its own place, as if they had come one after another.
    const left = new Map(sums)
    return requests.map(({ caller }) => {
      const { requests: all = 1, remaining = 0 } = rows.get(caller) ?? {}
      const later = (left.get(caller) ?? 1) - 1
      left.set(caller, later)
      return { requests: all - later, remainingMs: remaining }
    })
  }

  async #add(callers: readonly Counted[], sums: ReadonlyMap<string, number>) {
    const { rows } = await inTransaction(this.#pool, beginReplaceable, (connection) =>
      connection.query<{ caller: string; requests: number; remaining: number }>(
        `WITH moment AS (SELECT ${serverTime} AS now)
         INSERT INTO request_counts AS counts (caller, window_start, requests)
         SELECT caller, now - now % span::bigint, sum::bigint
         FROM moment, unnest($1::text[], $2::text[], $3::text[]) AS sent (caller, span, sum)
         ON CONFLICT (caller) DO UPDATE SET
           window_start = greatest(counts.window_start, excluded.window_start),
           requests = excluded.requests
             + CASE WHEN counts.window_start >= excluded.window_start THEN counts.requests ELSE 0 END
         RETURNING caller, requests, window_start
           + (SELECT span::bigint FROM unnest($1::text[], $2::text[]) AS sent (name, span) WHERE name = caller)
           - (SELECT now FROM moment) AS remaining`,
        [
          textArray(callers.map(({ caller }) => caller)),
          textArray(callers.map(({ window }) => String(window))),
          textArray(callers.map(({ caller }) => String(sums.get(caller)))),
        ],
      ),
    )
    return new Map(rows.map((row) => [row.caller, row] as const))
  }
}
