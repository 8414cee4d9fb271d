import type { Checkpoint } from '../documents/checkpoint.ts'
import { matches } from '../schemas.ts'
import type { ChainEntry, ChainHead } from './chain.ts'
import { drivings } from './list-driving.ts'
import { listQuery } from './list-query.ts'
import { summaryOf } from './queries.ts'
import { type AuditSnapshot, oneRow } from './snapshot.ts'
import type { VerdictFilter, VerdictSummary } from './store.ts'

/** A record as it is exported. */
export interface ExportRecord {
  readonly summary: VerdictSummary
  /** The verdict, as it was answered. */
  readonly body: string
  /** Its entry in the chain; absent while it waits for one. */
  readonly entry?: ChainEntry
  /** Canonical form of its fact document; absent when it is not asked for, or was removed by retention. */
  readonly document?: string
}

/** What is exported. */
export interface ExportQuery {
  readonly tenant: string
  readonly filter: VerdictFilter
  readonly facts: boolean
}

/** Records that are read at once; each may have 2 MiB. */
const atOnce = 50

function isWhole(filter: VerdictFilter): boolean {
  return Object.keys(filter).length === 0
}

async function* ids(snapshot: AuditSnapshot, { tenant, filter }: ExportQuery): AsyncGenerator<string, void, void> {
  if (!isWhole(filter)) {
    const request = { dialect: snapshot.dialect, tenant, filter, limit: Number.MAX_SAFE_INTEGER }
    const rows = snapshot.rows((db) => listQuery(db, request, drivings(request)[0]))
    for await (const { id } of rows) yield id
    return
  }
  const entries = snapshot.rows((db) =>
    db.selectFrom('chain').select('verdict_id').where('tenant', '=', tenant).orderBy('sequence'),
  )
  for await (const row of entries) yield row.verdict_id
  const waiting = snapshot.rows((db) =>
    db.selectFrom('unsealed').select('verdict_id').where('tenant', '=', tenant).orderBy('verdict_id'),
  )
  for await (const row of waiting) yield row.verdict_id
}

/** Fact documents by their digests; none when they are not asked for. */
async function documentsOf(snapshot: AuditSnapshot, { tenant, facts }: ExportQuery, digests: readonly string[]) {
  const found = new Map<string, string>()
  if (!facts || digests.length === 0) return found
  const rows = snapshot.rows((db) =>
    db
      .selectFrom('fact_documents')
      .select(['digest', 'body'])
      .where('tenant', '=', tenant)
      .where('digest', 'in', digests),
  )
  for await (const { digest, body } of rows) if (body !== null) found.set(digest, body)
  return found
}

async function recordsOf(
  snapshot: AuditSnapshot,
  query: ExportQuery,
  wanted: readonly string[],
): Promise<ExportRecord[]> {
  const { tenant } = query
  const rows = snapshot.rows((db) =>
    db
      .selectFrom('verdicts')
      .leftJoin('chain', (join) =>
        join.onRef('chain.tenant', '=', 'verdicts.tenant').onRef('chain.verdict_id', '=', 'verdicts.id'),
      )
      .selectAll('verdicts')
      .select(['sequence', 'chain.record_digest as sealed_digest', 'previous_link', 'link'])
      .where('verdicts.tenant', '=', tenant)
      .where('verdicts.id', 'in', wanted),
  )
  const found = new Map<string, Omit<ExportRecord, 'document'>>()
  for await (const row of rows) {
    const { sequence, sealed_digest: recordDigest, previous_link: previousLink, link } = row
    const sealed = sequence !== null && recordDigest !== null && previousLink !== null && link !== null
    const entry = sealed ? { tenant, sequence, verdictId: row.id, recordDigest, previousLink, link } : undefined
    found.set(row.id, { summary: summaryOf(row), body: row.body, ...(entry === undefined ? {} : { entry }) })
  }
  const digests = new Set([...found.values()].map(({ summary }) => summary.documentDigest))
  const documents = await documentsOf(snapshot, query, [...digests])
  return wanted.flatMap((id) => {
    const record = found.get(id)
    if (record === undefined) return []
    const document = documents.get(record.summary.documentDigest)
    return [{ ...record, ...(document === undefined ? {} : { document }) }]
  })
}

/**
 * What matches in a database at one moment: the whole record in the chain's order, then what waits for the chain;
 * newest first where filters are given. Rejects as the snapshot does, and with OPTION_INVALID for a time that cannot be read.
 */
export async function* exportedRecords(
  snapshot: AuditSnapshot,
  query: ExportQuery,
): AsyncGenerator<ExportRecord, void, void> {
  let wanted: string[] = []
  for await (const id of ids(snapshot, query)) {
    wanted.push(id)
    if (wanted.length < atOnce) continue
    yield* await recordsOf(snapshot, query, wanted)
    wanted = []
  }
  if (wanted.length > 0) yield* await recordsOf(snapshot, query, wanted)
}

/** Where a tenant's chain and its checkpoints end; what there is none of is left out. */
export async function endOfChain(
  snapshot: AuditSnapshot,
  tenant: string,
): Promise<{ readonly head?: ChainHead; readonly checkpoint?: Checkpoint }> {
  const head = await oneRow(snapshot, (db) =>
    db
      .selectFrom('chain')
      .select(['sequence', 'link'])
      .where('tenant', '=', tenant)
      .orderBy('sequence', 'desc')
      .limit(1),
  )
  const row = await oneRow(snapshot, (db) =>
    db.selectFrom('checkpoints').selectAll().where('tenant', '=', tenant).orderBy('sequence', 'desc').limit(1),
  )
  const { from_sequence: from, ...rest } = row ?? { from_sequence: 0 }
  const checkpoint: unknown = { schema: 'imagegate.checkpoint/1', from, ...rest }
  return { ...(head && { head }), ...(matches('checkpoint', checkpoint) ? { checkpoint } : {}) }
}
