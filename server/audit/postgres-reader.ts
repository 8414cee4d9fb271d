import {
  type DatabaseConnection,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'
import type pg from 'pg'
import { beginReading, type Connection, inTransaction, setTenant } from './postgres-connection.ts'
import { postgresError } from './postgres-errors.ts'
import { toText } from './postgres-text.ts'
import type { RunQueries } from './reader.ts'
import type { AuditTables } from './tables.ts'

/** Runs queries of one tenant in a reading transaction that can see no other's rows, whatever the queries say. */
export function runOn(pool: pg.Pool): RunQueries {
  return async (tenant, queries) => {
    try {
      return await inTransaction(pool, beginReading, async (connection) => {
        await setTenant(connection, tenant ?? '')
        return await queries(kyselyOn(connection))
      })
    } catch (error) {
      throw postgresError(error)
    }
  }
}

/** Hands every query to one connection, whose transaction is begun and ended elsewhere. */
class OneConnection extends DummyDriver {
  readonly #connection: DatabaseConnection

  constructor(connection: Connection) {
    super()
    this.#connection = {
      async executeQuery({ sql, parameters }) {
        const { rows } = await connection.query(
          sql,
          parameters.map((value) => (typeof value === 'string' ? toText(value) : value)),
        )
        return { rows }
      },
      streamQuery() {
        throw new Error('The rows of a query are not streamed.')
      },
    }
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }
}

/** Kysely on a connection that is in a transaction. */
export function kyselyOn(connection: Connection): Kysely<AuditTables> {
  return new Kysely<AuditTables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new OneConnection(connection),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
}
