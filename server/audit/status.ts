import { type Kysely, sql } from 'kysely'
import type { ChainHead } from './chain.ts'
import type { MaintainedDatabase, MigrationState, Partition } from './maintained.ts'
import type { AuditTables } from './tables.ts'

/** What a database holds of one tenant. */
export interface TenantStatus {
  readonly tenant: string
  readonly newest: { readonly id: string; readonly recordedAt: string }
  /** Absent while no verdict of it is sealed. */
  readonly head?: ChainHead
  /** Verdicts that wait to be sealed. */
  readonly unsealed: number
  /** The last checkpoint in the database. */
  readonly checkpoint?: { readonly sequence: number; readonly at: string }
}

/** What an operator wants to know of a database. */
export interface DatabaseStatus {
  readonly dialect: 'sqlite' | 'postgres'
  readonly database: string
  readonly migrations: MigrationState
  readonly bytes: number
  /** Sealed and unsealed verdicts of all tenants. */
  readonly verdicts: number
  readonly tenants: readonly TenantStatus[]
  readonly partitions: readonly Partition[]
  /** Rows of every table, when they were counted. */
  readonly rows?: Readonly<Record<string, number>>
}

/**
 * Looks a database over. Quick at any size: verdicts are as many as the chains say; count: true counts the rows of every
 * table, which reads them all. Rejects with STORE_INCOMPATIBLE, or with the driver's error.
 */
export async function databaseStatus(database: MaintainedDatabase, count = false): Promise<DatabaseStatus> {
  const migrations = await database.migrations()
  const tables = await tableNames(database)
  const tenants = await tenantsOf(database.db, tables)
  const rows = count ? await countRows(database.db, tables) : undefined
  return {
    dialect: database.dialect,
    database: database.place,
    migrations,
    bytes: await database.bytes(),
    verdicts: tenants.reduce((sum, { head, unsealed }) => sum + (head?.sequence ?? 0) + unsealed, 0),
    tenants,
    partitions: await database.partitions(),
    ...(rows && { rows }),
  }
}

/** Names of the tables of a database. */
export async function tableNames(database: MaintainedDatabase): Promise<readonly string[]> {
  return (await database.tables()).map(({ name }) => name)
}

/** What a database holds of each tenant, by name. Tables that a migration would still make are taken for empty. */
export async function tenantsOf(db: Kysely<AuditTables>, tables: readonly string[]): Promise<readonly TenantStatus[]> {
  const found: TenantStatus[] = []
  if (!tables.includes('verdicts')) return found
  const chained = tables.includes('chain')
  // From name to name: as many steps as there are tenants, whatever they hold.
  for (let after = ''; ; ) {
    const { rows } = await sql<{ tenant: string }>`
      select tenant from verdicts where tenant > ${after} order by tenant limit 1`.execute(db)
    const [next] = rows
    if (next === undefined) return found
    after = next.tenant
    found.push(await tenantOf(db, after, chained))
  }
}

async function tenantOf(db: Kysely<AuditTables>, tenant: string, chained: boolean): Promise<TenantStatus> {
  const newest = await db
    .selectFrom('verdicts')
    .select(['id', 'recorded_at'])
    .where('tenant', '=', tenant)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  const base = { tenant, newest: { id: newest.id, recordedAt: newest.recorded_at } }
  if (!chained) return { ...base, unsealed: await countOf(db, 'verdicts', tenant) }
  const head = await last<{ sequence: number; link: string }>(db, 'chain', tenant)
  const checkpoint = await last<{ sequence: number; at: string }>(db, 'checkpoints', tenant)
  return {
    ...base,
    ...(head && { head: { sequence: Number(head.sequence), link: head.link } }),
    unsealed: await countOf(db, 'unsealed', tenant),
    ...(checkpoint && { checkpoint: { sequence: Number(checkpoint.sequence), at: checkpoint.at } }),
  }
}

async function last<Row>(db: Kysely<AuditTables>, table: string, tenant: string): Promise<Row | undefined> {
  const { rows } = await sql<Row>`
    select * from ${sql.table(table)} where tenant = ${tenant} order by sequence desc limit 1`.execute(db)
  return rows[0]
}

async function countOf(db: Kysely<AuditTables>, table: string, tenant?: string): Promise<number> {
  const where = tenant === undefined ? sql`` : sql`where tenant = ${tenant}`
  const { rows } = await sql<{ rows: number | string }>`
    select count(*) as rows from ${sql.table(table)} ${where}`.execute(db)
  return Number(rows[0]?.rows)
}

async function countRows(db: Kysely<AuditTables>, tables: readonly string[]): Promise<Record<string, number>> {
  const counted: Record<string, number> = {}
  for (const table of tables) counted[table] = await countOf(db, table)
  return counted
}
