import { resolve } from 'node:path'
import { defaultTenant } from '../audit/store.ts'
import { firstMillisecond } from '../audit/times.ts'
import type { ImpactSource } from '../authoring/impact-item.ts'
import type { LineSelection } from '../authoring/impact-replay.ts'
import { exportSource, recordedSource } from '../authoring/impact-sources.ts'
import { type DatabasePlace, placeName } from '../database.ts'
import type { Policy } from '../documents/policy.ts'
import type { PolicyImpact } from '../documents/policy-impact.ts'
import { chunksOf } from './inputs.ts'
import { databaseOf, type RecordsOptions, withRecords } from './records.ts'
import type { Terminal } from './terminal.ts'
import { UsageError } from './usage.ts'

/** Where recorded facts come from, and which of them. */
export interface SourceOptions extends RecordsOptions {
  /** Path of NDJSON lines, or - for standard input. */
  readonly export?: string
  readonly from?: string
  readonly to?: string
}

/** A source that is open. */
export interface OpenSource {
  readonly kind: PolicyImpact['source']
  /** Tells it from others. */
  readonly place: string
  readonly source: ImpactSource
  /** Where its verdicts are read, when they are only listed. */
  readonly database?: { readonly place: DatabasePlace; readonly tenant: string }
  readonly selection: LineSelection
}

/** A bare date is its midnight. Throws OPTION_INVALID for what is no time. */
function instant(text: string): string {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text
  return new Date(firstMillisecond(time)).toISOString()
}

function selectionOf({ tenant, from, to }: SourceOptions): LineSelection {
  return {
    ...(tenant === undefined ? {} : { tenant }),
    ...(from === undefined ? {} : { from: instant(from) }),
    ...(to === undefined ? {} : { to: instant(to) }),
  }
}

function exported(file: string, selection: LineSelection, terminal: Terminal): OpenSource {
  if (file === '-' && terminal.stdin.isTTY === true) throw new UsageError('Pipe an export in, or name its file.')
  const place = file === '-' ? 'standard input' : resolve(file)
  return { kind: 'export', place, source: exportSource(() => chunksOf(file, terminal)), selection }
}

/** Opens what was asked for, uses it and closes it whatever happens. Throws a UsageError for options that exclude each other. */
export async function withSource<T>(
  options: SourceOptions,
  family: Policy['family'],
  terminal: Terminal,
  use: (source: OpenSource) => Promise<T>,
): Promise<T> {
  const selection = selectionOf(options)
  if (options.export !== undefined) return use(exported(options.export, selection, terminal))
  const { server, database } = options
  if (server !== undefined && options.tenant !== undefined) {
    throw new UsageError('--tenant is for a database or an export: a server answers for its own tenant.')
  }
  const { tenant = defaultTenant, ...times } = selection
  return withRecords(options, terminal, (records) => {
    const filter = { ...times, family }
    const source = recordedSource(records, filter)
    if (server !== undefined) return use({ kind: 'server', place: server, source, selection })
    const place = databaseOf(database, terminal)
    return use({ kind: 'database', place: placeName(place), source, selection, database: { place, tenant } })
  })
}
