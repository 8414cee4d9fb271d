import type { Database, Statement } from 'better-sqlite3'
import { Kysely, SqliteDialect, sql } from 'kysely'
import { ImagegateError } from '../errors.ts'
import { openForReading } from './sqlite-connection.ts'
import { inServiceError, isDamage, storeError } from './sqlite-errors.ts'
import { requireMigrated } from './sqlite-migrate.ts'
import type { AuditTables } from './tables.ts'

interface Connection {
  readonly database: Database
  readonly version: Statement<[], number>
  readonly db: Kysely<AuditTables>
}

/** Queries a database through a connection of its own that cannot write; opened when first used, and anew after an error. */
export class SqliteQueries {
  readonly #file: string
  #connection: Connection | undefined
  #closed = false
  /** Connections so far: the file may have been replaced between two. */
  #opened = 0
  #damage: ImagegateError | undefined

  constructor(file: string) {
    this.#file = file
  }

  /** Opens the connection. Throws STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
  open(): void {
    try {
      this.#connect()
    } catch (error) {
      throw storeError(error)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#drop()
  }

  /** Runs queries. Rejects with STORE_UNAVAILABLE or STORE_INCOMPATIBLE; an ImagegateError of the queries passes. */
  async run<T>(queries: (db: Kysely<AuditTables>) => Promise<T>): Promise<T> {
    if (this.#closed) throw new ImagegateError('STORE_UNAVAILABLE', 'The store is closed.')
    try {
      return await queries(this.#connect().db)
    } catch (error) {
      if (!(error instanceof ImagegateError)) await this.#drop()
      const failure = inServiceError(error)
      if (isDamage(error)) this.#damage = failure
      throw failure
    }
  }

  /** As ApiKeyReader.version; undefined while there is no connection that works. */
  version(): number | undefined {
    try {
      const changes = this.#connection?.version.get()
      return changes === undefined ? undefined : this.#opened * 2 ** 32 + changes
    } catch {
      return undefined
    }
  }

  /** Rejects with STORE_UNAVAILABLE once a query found the database damaged, or when it cannot be read now. */
  async check(): Promise<void> {
    if (this.#damage !== undefined) throw this.#damage
    await this.run((db) => sql`SELECT 1 FROM health`.execute(db))
  }

  #connect(): Connection {
    if (this.#connection === undefined) {
      this.#connection = connect(this.#file)
      this.#opened += 1
    }
    return this.#connection
  }

  async #drop(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    await connection?.db.destroy()
    // A connection that no query used is not closed by kysely, and would keep the log from being tidied away.
    connection?.database.close()
  }
}

function connect(file: string): Connection {
  const database = openForReading(file)
  try {
    requireMigrated(database)
  } catch (error) {
    database.close()
    throw error
  }
  const version = database.prepare<[], number>('PRAGMA user_version').pluck()
  return { database, version, db: new Kysely<AuditTables>({ dialect: new SqliteDialect({ database }) }) }
}
