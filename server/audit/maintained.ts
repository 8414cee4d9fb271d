import type { Kysely } from 'kysely'
import { ImagegateError } from '../errors.ts'
import { searchText } from './image-text.ts'
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

/** A table, alike in every dialect. */
export interface TableShape {
  readonly name: string
  /** Sorted. */
  readonly columns: readonly string[]
  /** Columns of its primary key, in the key's order. */
  readonly key: readonly string[]
}

/** A database as the one who runs it sees it: whole, with every tenant, through one connection. */
export interface MaintainedDatabase {
  readonly dialect: 'sqlite' | 'postgres'
  /** Where it is, without a password. */
  readonly place: string
  readonly db: Kysely<AuditTables>
  /** Rejects with STORE_INCOMPATIBLE when it is another program's, or went through a migration that this one lacks. */
  migrations(): Promise<MigrationState>
  /** Its tables by name; parts of a table are none. */
  tables(): Promise<readonly TableShape[]>
  /** What it occupies on its disk. */
  bytes(): Promise<number>
  partitions(): Promise<readonly Partition[]>
  /** An error of its driver as one to show: STORE_UNAVAILABLE or STORE_INCOMPATIBLE; an ImagegateError stays. */
  explain(error: unknown): ImagegateError
  close(): Promise<void>
}

/** A row as it is copied, by column. */
export type PlainRow = Readonly<Record<string, string | number | null>>

/** A database that is copied to: migrated, and written a portion at a time. What fails is told as by explain. */
export interface CopyTarget extends MaintainedDatabase {
  /** Makes room for verdicts from one time to another. */
  prepare(first: Date, last: Date): Promise<void>
  /** Makes rows of one table durable, all or none. */
  insert(table: TableShape, rows: readonly PlainRow[]): Promise<void>
  /** Verdicts that are in the chain wait for it no longer. */
  settle(): Promise<void>
}

/** Ends the waiting of verdicts that an earlier run copied before their originals were sealed. */
export const forgetSealed = `DELETE FROM unsealed WHERE EXISTS (
  SELECT 1 FROM chain WHERE chain.tenant = unsealed.tenant AND chain.verdict_id = unsealed.verdict_id
)`

/** The error for rows that break what the target's tables demand of them. */
export function refusal(table: string, cause: unknown): ImagegateError {
  return new ImagegateError('COPY_DIFFERS', `The target refuses rows of ${table}: they break its constraints.`, {
    cause,
  })
}

/** What rows of verdicts are found by, in the index of image names that each dialect makes its own way. */
export function searchedNames(
  rows: readonly PlainRow[],
): readonly { readonly text: string; readonly tenant: string; readonly id: string }[] {
  return rows.flatMap(({ image_name, tenant, id }) => {
    const text = searchText(String(image_name ?? ''))
    return text === undefined ? [] : [{ text, tenant: String(tenant), id: String(id) }]
  })
}
