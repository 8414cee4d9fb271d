import { existsSync } from 'node:fs'
import { type Command, Option } from 'commander'
import type { MaintainedDatabase } from '../audit/maintained.ts'
import { openMaintained } from '../audit/open-maintained.ts'
import type { DatabasePlace } from '../database.ts'
import { ImagegateError } from '../errors.ts'
import { databaseOf } from './records.ts'
import type { Terminal } from './terminal.ts'

/** Which database is meant. */
export interface TargetOptions {
  readonly database?: string
}

/** Adds --database. */
export function addTargetOption(command: Command): Command {
  const description = 'the database, as IMAGEGATE_DATABASE_URL names it (default: the configured one)'
  return command.addOption(new Option('--database <url>', description))
}

/** False for a SQLite file that is not there; whether a PostgreSQL database is there shows when it is opened. */
export function mayExist(place: DatabasePlace): boolean {
  return place.kind === 'postgres' || existsSync(place.file)
}

/** Throws FILE_UNREADABLE for a SQLite file that is not there. */
export function requireThere(place: DatabasePlace): DatabasePlace {
  if (place.kind === 'sqlite' && !mayExist(place)) {
    throw new ImagegateError('FILE_UNREADABLE', `There is no database at ${place.file}.`)
  }
  return place
}

/** The database that is meant, which is there. Throws FILE_UNREADABLE, CONFIG_INVALID or a UsageError. */
export function targetOf({ database }: TargetOptions, terminal: Terminal): DatabasePlace {
  return requireThere(databaseOf(database, terminal))
}

/** Opens a database that is there, uses it and closes it whatever happens; it is not changed. */
export async function withDatabase<T>(
  place: DatabasePlace,
  use: (database: MaintainedDatabase) => Promise<T>,
): Promise<T> {
  const database = await openMaintained(place)
  try {
    return await use(database)
  } catch (error) {
    throw database.explain(error)
  } finally {
    await database.close()
  }
}
