import type { Kysely } from 'kysely'
import type { AuditTables } from './tables.ts'

/** A migration that a database went through, and when. RFC 3339, UTC. */
export interface AppliedAt {
  readonly name: string
  readonly appliedAt: string
}

/** What a database went through, and what this program would still apply. */
export interface MigrationState {
  readonly applied: readonly AppliedAt[]
  readonly pending: readonly string[]
}

/** A part of a table by time. */
export interface Partition {
  readonly table: string
  readonly name: string
  /** From which id on and below which, as the database writes it. */
  readonly bounds: string
  readonly bytes: number
}

/** A database as the one who runs it sees it: whole, with every tenant, through one connection. */
export interface MaintainedDatabase {
  readonly dialect: 'sqlite' | 'postgres'
  /** Where it is, without a password. */
  readonly place: string
  readonly db: Kysely<AuditTables>
  /** Rejects with STORE_INCOMPATIBLE when it is another program's, or went through a migration that this one lacks. */
  migrations(): Promise<MigrationState>
  /** Names of its tables, sorted; parts of a table are not named. */
  tables(): Promise<readonly string[]>
  /** What it occupies on its disk. */
  bytes(): Promise<number>
  partitions(): Promise<readonly Partition[]>
  close(): Promise<void>
}
