import { Kysely, SqliteDialect } from 'kysely'
import { ImagegateError } from '../errors.ts'
import { findDocument, findIdempotent, findPolicyBody, findRecords, findVerdict, listVerdicts } from './queries.ts'
import { countShadows, listShadows } from './shadow-queries.ts'
import { openForReading } from './sqlite-connection.ts'
import { storeError } from './sqlite-errors.ts'
import { requireMigrated } from './sqlite-migrate.ts'
import type {
  IdempotentVerdict,
  ListPosition,
  ShadowCount,
  ShadowFilter,
  ShadowPage,
  StoredRecord,
  StoredVerdict,
  StoreReader,
  VerdictFilter,
  VerdictPage,
} from './store.ts'
import type { AuditTables } from './tables.ts'

/** Reads a database through a connection of its own that cannot write; opened when first used, and anew after an error. */
export class SqliteReader implements StoreReader {
  readonly #file: string
  #db: Kysely<AuditTables> | undefined
  #closed = false

  constructor(file: string) {
    this.#file = file
  }

  /** Opens the connection. Throws STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
  open(): void {
    try {
      this.#db ??= connect(this.#file)
    } catch (error) {
      throw storeError(error)
    }
  }

  idempotent(tenant: string, key: string): Promise<IdempotentVerdict | undefined> {
    return this.#query((db) => findIdempotent(db, tenant, key))
  }

  verdict(tenant: string, id: string): Promise<StoredVerdict | undefined> {
    return this.#query((db) => findVerdict(db, tenant, id))
  }

  document(tenant: string, digest: string): Promise<string | 'expired' | undefined> {
    return this.#query((db) => findDocument(db, tenant, digest))
  }

  policyBody(digest: string): Promise<string | undefined> {
    return this.#query((db) => findPolicyBody(db, digest))
  }

  records(tenant: string, ids: readonly string[]): Promise<readonly StoredRecord[]> {
    return this.#query((db) => findRecords(db, tenant, ids))
  }

  list(tenant: string, filter: VerdictFilter, limit: number, position?: ListPosition): Promise<VerdictPage> {
    return this.#query((db) => listVerdicts(db, tenant, filter, limit, position))
  }

  shadowCounts(tenant: string, candidate: string): Promise<readonly ShadowCount[]> {
    return this.#query((db) => countShadows(db, tenant, candidate))
  }

  shadows(
    tenant: string,
    candidate: string,
    filter: ShadowFilter,
    limit: number,
    before?: string,
  ): Promise<ShadowPage> {
    return this.#query((db) => listShadows(db, { tenant, candidate, filter, limit, before }))
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#drop()
  }

  async #query<T>(run: (db: Kysely<AuditTables>) => Promise<T>): Promise<T> {
    if (this.#closed) throw new ImagegateError('STORE_UNAVAILABLE', 'The store is closed.')
    try {
      this.#db ??= connect(this.#file)
      return await run(this.#db)
    } catch (error) {
      if (!(error instanceof ImagegateError)) await this.#drop()
      throw storeError(error)
    }
  }

  async #drop(): Promise<void> {
    const db = this.#db
    this.#db = undefined
    await db?.destroy()
  }
}

function connect(file: string): Kysely<AuditTables> {
  const database = openForReading(file)
  try {
    requireMigrated(database)
  } catch (error) {
    database.close()
    throw error
  }
  return new Kysely<AuditTables>({ dialect: new SqliteDialect({ database }) })
}
