import type { Compilable, Kysely } from 'kysely'
import { type Connection, openPool, setTenant } from './postgres-connection.ts'
import { postgresError } from './postgres-errors.ts'
import { requireMigrated } from './postgres-migrate.ts'
import { kyselyOn } from './postgres-reader.ts'
import { toText } from './postgres-text.ts'
import type { AuditSnapshot, SnapshotQuery } from './snapshot.ts'
import type { AuditTables } from './tables.ts'

/** One moment for every query, of every tenant, for as long as it takes: a sort of millions of rows is no slow statement. */
const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
  SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0`

function queryOf(compilable: Compilable): { text: string; values: unknown[] } {
  const { sql, parameters } = compilable.compile()
  return { text: sql, values: parameters.map((value) => (typeof value === 'string' ? toText(value) : value)) }
}

/** What a connection sees in its transaction, which must stay the same while it is read. */
export function snapshotOn(connection: Connection): Omit<AuditSnapshot, 'close'> {
  const db: Kysely<AuditTables> = kyselyOn(connection)
  let opened = 0
  return {
    dialect: 'postgres',
    async *rows<T>(query: SnapshotQuery<T>, atOnce = 1000): AsyncGenerator<T, void, void> {
      opened += 1
      const name = `rows_${opened}`
      const { text, values } = queryOf(query(db))
      try {
        await connection.query(`DECLARE ${name} NO SCROLL CURSOR FOR ${text}`, values)
        try {
          for (;;) {
            const { rows } = await connection.query(`FETCH ${atOnce} FROM ${name}`)
            yield* rows
            if (rows.length < atOnce) break
          }
        } finally {
          await connection.query(`CLOSE ${name}`)
        }
      } catch (error) {
        throw postgresError(error)
      }
    },
  }
}

/** One moment of a PostgreSQL database. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openPostgresSnapshot(url: string): Promise<AuditSnapshot> {
  const pool = openPool({ url, size: 1, patient: true })
  try {
    const connection = await pool.connect()
    await connection.query(begin)
    await setTenant(connection, '*')
    await requireMigrated(connection)
    return {
      ...snapshotOn(connection),
      async close() {
        // Closing the connection ends the transaction with all that is open in it.
        connection.release(true)
        await pool.end()
      },
    }
  } catch (error) {
    await pool.end()
    throw postgresError(error)
  }
}
