import pg from 'pg'
import { ImagegateError } from '../errors.ts'
import { isLate, keepsConnection } from './postgres-errors.ts'
import { columnTypes } from './postgres-values.ts'
import type { StoreLog } from './store.ts'

/** A connection while one transaction uses it. */
export type Connection = pg.PoolClient

/** A pool's database and its greatest number of connections. */
export interface PoolOptions {
  readonly url: string
  readonly size: number
  /** Wait for answers however long they take, as a migration's may. */
  readonly patient?: boolean
  readonly log?: StoreLog | undefined
}

/** Milliseconds: to connect or to wait for a free connection, of a statement, of a lock, and of an answer at all. */
const times = { connect: 4000, statement: 8000, lock: 4000, idle: 15_000, answer: 10_000 }

/** What every transaction sets for itself: a pooler between may hand each of them another connection. */
const limits = [
  `SET LOCAL statement_timeout = ${times.statement}`,
  `SET LOCAL lock_timeout = ${times.lock}`,
  `SET LOCAL idle_in_transaction_session_timeout = ${times.idle}`,
].join('; ')

/**
 * A reading transaction; it sees the rows of the tenant that setTenant names. An index on today's disks costs little more
 * than a scan: at the default of 4 a list by two filters reads whole tables while they are small. What is read is a page,
 * and starting workers for it takes longer than the page.
 */
export const beginReading = `BEGIN READ ONLY; ${limits}; SET LOCAL random_page_cost = 1.1; SET LOCAL max_parallel_workers_per_gather = 0`

/** A writing transaction. Its commit is durable whatever the role's default, and on the synchronous standby if there is one. */
export const beginWriting = `BEGIN; ${limits}; SET LOCAL synchronous_commit = on`

/** A writing transaction whose loss does no harm, so that nobody waits for a disk. */
export const beginReplaceable = `BEGIN; ${limits}; SET LOCAL synchronous_commit = off`

/** A pool that connects when it is first used, drops what breaks, and connects anew when it is next used. */
export function openPool({ url, size, patient, log }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: size,
    connectionTimeoutMillis: times.connect,
    ...(!patient && { query_timeout: times.answer }),
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    application_name: 'imagegate',
    types: columnTypes,
  })
  // A connection may break while it is idle, or in use between two statements; unheard, either would end the process.
  pool.on('error', (error) => log?.warn({ reason: error.message }, 'A connection to the database was lost'))
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

/** Says whose rows the transaction sees: a tenant's, everybody's with '*', nobody's with ''. */
export async function setTenant(connection: Connection, tenant: string): Promise<void> {
  await connection.query("SELECT set_config('imagegate.tenant', $1, true)", [tenant])
}

/**
 * Runs work in a transaction. Resolves only after its COMMIT was confirmed; rejects with the first error, and then it is
 * rolled back, or its connection is closed, by which the server rolls it back.
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  begin: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await pool.connect()
  let broken = true
  let backend: number | undefined
  try {
    backend = await begun(connection, begin)
    const result = await work(connection)
    await commit(connection)
    broken = false
    return result
  } catch (error) {
    if (keepsConnection(error)) broken = !(await rolledBack(connection))
    if (isLate(error) && backend !== undefined) void endWait(pool, backend)
    throw error
  } finally {
    connection.release(broken)
  }
}

/** Begins a transaction and gives the server's process that runs it. */
async function begun(connection: Connection, begin: string): Promise<number | undefined> {
  const results: unknown = await connection.query(`${begin}; SELECT pg_backend_pid() AS pid`)
  const last: unknown = Array.isArray(results) ? results.at(-1)?.rows[0]?.pid : undefined
  return typeof last === 'number' ? last : undefined
}

/**
 * A commit that waits for a standby does so however long it takes, with its connection gone or not: one for each try,
 * until the server has none left for those who only read. Nobody waits for what it would answer any more.
 */
async function endWait(pool: pg.Pool, backend: number): Promise<void> {
  try {
    await pool.query('SELECT pg_cancel_backend($1)', [backend])
  } catch {
    // Then the server cannot be reached, or the process is gone.
  }
}

/**
 * COMMIT says ROLLBACK when the transaction had failed, and only warns when somebody cancelled the wait for the standby:
 * neither is a commit that survives.
 */
async function commit(connection: Connection): Promise<void> {
  const warnings: string[] = []
  const warned = ({ severity, message }: { severity?: string | undefined; message?: string | undefined }) => {
    if (severity === 'WARNING') warnings.push(message ?? severity)
  }
  connection.on('notice', warned)
  try {
    const { command } = await connection.query('COMMIT')
    if (command === 'COMMIT' && warnings.length === 0) return
    const cause = new Error(warnings[0] ?? command)
    throw new ImagegateError('STORE_UNAVAILABLE', 'The database did not confirm the commit.', { cause })
  } finally {
    connection.removeListener('notice', warned)
  }
}

async function rolledBack(connection: Connection): Promise<boolean> {
  try {
    await connection.query('ROLLBACK')
    return true
  } catch {
    return false
  }
}
