import type pg from 'pg'
import { idFloor } from './identity.ts'
import { beginWriting, type Connection, inTransaction, setTenant } from './postgres-connection.ts'

/** Months that have their partitions before they begin. */
const monthsAhead = 3

/** The first millisecond of a month, counted from that of a time; both are in UTC. */
function monthStart(time: Date, later: number): number {
  return Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + later)
}

/**
 * Makes the monthly partitions of every table of verdicts, from the month of one time to that of another, and says how
 * many were missing. Each table has a transaction of its own; another replica may make them at the same moment.
 */
export async function makePartitions(pool: pg.Pool, from: Date, to: Date): Promise<number> {
  const tables = await inTransaction(pool, 'BEGIN READ ONLY', partitionedTables)
  const starts: number[] = []
  for (let later = 0; monthStart(from, later) <= to.getTime(); later += 1) starts.push(monthStart(from, later))
  const months = starts.map((start) => {
    const next = monthStart(new Date(start), 1)
    return [new Date(start).toISOString().slice(0, 7).replace('-', '_'), idFloor(start), idFloor(next)] as const
  })
  let made = 0
  for (const table of tables) made += await makeThose(pool, table, months)
  return made
}

/** The partitions of this month and of the next three. */
export function makeNextPartitions(pool: pg.Pool, now = new Date()): Promise<number> {
  return makePartitions(pool, now, new Date(monthStart(now, monthsAhead)))
}

async function partitionedTables(connection: Connection): Promise<readonly string[]> {
  const { rows } = await connection.query<{ name: string }>(
    `SELECT partrelid::regclass::text AS name FROM pg_partitioned_table JOIN pg_class ON pg_class.oid = partrelid
     WHERE relnamespace = current_schema()::regnamespace ORDER BY name`,
  )
  return rows.map(({ name }) => name)
}

/** Months are given by the partition's suffix, its first id, and the first id after it. */
function makeThose(
  pool: pg.Pool,
  table: string,
  months: readonly (readonly [suffix: string, first: string, next: string])[],
): Promise<number> {
  return inTransaction(pool, beginWriting, async (connection) => {
    // Serializes replicas; whoever comes second finds them made.
    await connection.query('SELECT pg_advisory_xact_lock(hashtext($1))', ['imagegate partitions'])
    // All tenants' rows decide whether the default partition has taken what belongs here.
    await setTenant(connection, '*')
    let made = 0
    for (const month of months) {
      const { rows } = await connection.query<{ made: boolean }>(
        'SELECT imagegate_partition($1::regclass, $2, $3, $4) AS made',
        [table, ...month],
      )
      if (rows[0]?.made) made += 1
    }
    return made
  })
}
