import { existsSync } from 'node:fs'
import { type Command, Option } from 'commander'
import type { MaintainedDatabase } from '../audit/maintained.ts'
import { ImagegateError } from '../errors.ts'
import { databaseOf } from './records.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage.ts'

/** Which database is meant. */
export interface TargetOptions {
  readonly database?: string
}

/** Adds --database. */
export function addTargetOption(command: Command): Command {
  const description = 'the database, as IMAGEGATE_DATABASE_URL names it (default: the configured one)'
  return command.addOption(new Option('--database <url>', description))
}

/** The file of a database, there or not. Throws a UsageError for a PostgreSQL database, which has none. */
export function databaseFile({ database }: TargetOptions, terminal: Terminal): string {
  const place = databaseOf(database, terminal)
  if (place.kind === 'sqlite') return place.file
  throw new UsageError('This command is for SQLite databases.')
}

/** The file of a database that is there. Throws FILE_UNREADABLE when it is not. */
export function existingFile(options: TargetOptions, terminal: Terminal): string {
  const file = databaseFile(options, terminal)
  if (!existsSync(file)) throw new ImagegateError('FILE_UNREADABLE', `There is no database at ${file}.`)
  return file
}

/** Opens a database that is there, uses it and closes it whatever happens; it is not changed. */
export async function withDatabase<T>(
  options: TargetOptions,
  terminal: Terminal,
  use: (database: MaintainedDatabase) => Promise<T>,
): Promise<T> {
  const file = existingFile(options, terminal)
  const { openMaintainedSqlite } = await import('../audit/sqlite-maintained.ts')
  const database = openMaintainedSqlite(file)
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}
