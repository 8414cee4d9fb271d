import { existsSync } from 'node:fs'
import { type Command, Option } from 'commander'
import type { ReadFilter, ToldRead } from '../audit/reads.ts'
import type { AskedPeriod, DayStatistics, FrequencyStatistics } from '../audit/statistics.ts'
import type { StoredRecord, VerdictFilter, VerdictSummary } from '../audit/store.ts'
import { type DatabasePlace, databasePlace } from '../database.ts'
import { ImagegateError } from '../errors.ts'
import type { Replay } from '../evaluation/replay.ts'
import type { TimelineEntry } from '../evaluation/timeline.ts'
import type { ListedPage } from './limited.ts'
import { addServerOptions, type ServerOptions, serverPlace } from './server-place.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage.ts'

/** One page of a list. */
export interface RecordsPage {
  readonly verdicts: readonly VerdictSummary[]
  /** Where the next page begins; absent on the last. Opaque, and valid for the same filter at any later time. */
  readonly next?: string
}

/** The audit record as the command line reads it, from a database or from a server. */
export interface Records {
  /** Newest first, in pages of at most so many, 1 to 500, from the first or from where a page's `next` says. */
  pages(filter: VerdictFilter, pageSize: number, from?: string): AsyncGenerator<RecordsPage, void, void>
  /** Listed verdicts, with their fact documents unless told not to; at most 500. Absent where they can be read from the database. */
  records?(listed: readonly VerdictSummary[], facts?: boolean): Promise<readonly StoredRecord[]>
  /** A verdict's JSON, exactly as stored. Rejects with VERDICT_NOT_FOUND. */
  verdict(id: string): Promise<string>
  replay(id: string): Promise<Replay>
  /** What was said of an image, newest first, at most so many (1 to 100). */
  timeline(image: Pick<VerdictFilter, 'imageName' | 'imageDigest'>, limit: number): Promise<readonly TimelineEntry[]>
  /** Results by day, of a rule or of a missing fact, or else the outcomes. */
  days(period: AskedPeriod, of: { readonly rule?: string; readonly missingFact?: string }): Promise<DayStatistics>
  /** The rules that fail most often, or the facts that are missing most often; at most so many, 1 to 500. */
  frequencies(period: AskedPeriod, of: 'rules' | 'facts', limit: number): Promise<FrequencyStatistics>
  /** Who has read the audit trail, newest first, in pages of at most so many, 1 to 500. */
  reads(filter: ReadFilter, pageSize: number): AsyncGenerator<ListedPage<ToldRead>, void, void>
  close(): Promise<void>
}

/** Where the audit record is. */
export interface RecordsOptions extends ServerOptions {
  readonly database?: string
  /** Whose record it is, where a database may hold several. */
  readonly tenant?: string
}

/** Adds --database, --server and --api-key-file. */
export function addRecordsOptions(command: Command): Command {
  const database = 'a file: URL or a path (SQLite), or a postgres: URL (default: the configured one)'
  command.addOption(new Option('--database <url>', database).conflicts('server'))
  return addServerOptions(command, 'ask this server instead')
}

/** The database given, else the configured one. Throws a UsageError, or CONFIG_INVALID. */
export function databaseOf(given: string | undefined, terminal: Terminal): DatabasePlace {
  if (given === undefined) return terminal.config().database
  const place = databasePlace(given)
  if (place === undefined) throw new UsageError('--database is a file: URL, a path or a postgres: URL.')
  return place
}

/** The same, and it is there. Throws FILE_UNREADABLE for a file that is not. */
export function existingDatabase(given: string | undefined, terminal: Terminal): DatabasePlace {
  const place = databaseOf(given, terminal)
  if (place.kind === 'postgres' || existsSync(place.file)) return place
  throw new ImagegateError('FILE_UNREADABLE', `There is no database at ${place.file}.`)
}

/** Opens the audit record for reading; neither makes nor migrates a database. */
export async function openRecords(options: RecordsOptions, terminal: Terminal): Promise<Records> {
  const server = serverPlace(options, terminal)
  if (server !== undefined) {
    const { serverRecords } = await import('./server-records.ts')
    return serverRecords(server)
  }
  const place = existingDatabase(options.database, terminal)
  // The database driver is native code that only these commands need.
  const { databaseRecords } = await import('./database-records.ts')
  return databaseRecords(place, options.tenant)
}

/** Opens the audit record, uses it and closes it whatever happens. */
export async function withRecords<T>(
  options: RecordsOptions,
  terminal: Terminal,
  use: (records: Records) => Promise<T>,
): Promise<T> {
  const records = await openRecords(options, terminal)
  try {
    return await use(records)
  } finally {
    await records.close()
  }
}
