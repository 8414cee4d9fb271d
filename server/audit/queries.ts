import type { Kysely } from 'kysely'
import { listQuery } from './list-query.ts'
import { reachOf } from './list-reach.ts'
import type { ListRequest } from './list-request.ts'
import type { IdempotentVerdict, StoredRecord, StoredVerdict, VerdictPage, VerdictSummary } from './store.ts'
import type { AuditTables, VerdictRow } from './tables.ts'

/** Greatest page of a list, in verdicts. */
export const maxPage = 500

/** The query behind findVerdict: a row by its key. */
export function verdictQuery(db: Kysely<AuditTables>, tenant: string, id: string) {
  return db.selectFrom('verdicts').select(['body', 'record_digest']).where('tenant', '=', tenant).where('id', '=', id)
}

/** A stored verdict by its id. */
export async function findVerdict(
  db: Kysely<AuditTables>,
  tenant: string,
  id: string,
): Promise<StoredVerdict | undefined> {
  const row = await verdictQuery(db, tenant, id).executeTakeFirst()
  return row && { body: row.body, recordDigest: row.record_digest }
}

/** The query behind findIdempotent: a key by its own, and its verdict by that. */
export function idempotentQuery(db: Kysely<AuditTables>, tenant: string, key: string) {
  return db
    .selectFrom('idempotency_keys')
    .innerJoin('verdicts', (join) =>
      join.onRef('verdicts.tenant', '=', 'idempotency_keys.tenant').onRef('verdicts.id', '=', 'verdict_id'),
    )
    .select(['fingerprint', 'verdicts.id', 'verdicts.body'])
    .where('idempotency_keys.tenant', '=', tenant)
    .where('key', '=', key)
}

/** The verdict that an idempotency key stands for. */
export async function findIdempotent(
  db: Kysely<AuditTables>,
  tenant: string,
  key: string,
): Promise<IdempotentVerdict | undefined> {
  return idempotentQuery(db, tenant, key).executeTakeFirst()
}

/** A fact document's canonical form; 'expired' when its body was removed. */
export async function findDocument(
  db: Kysely<AuditTables>,
  tenant: string,
  digest: string,
): Promise<string | 'expired' | undefined> {
  const row = await documentsQuery(db, tenant, [digest]).executeTakeFirst()
  return row && (row.body ?? 'expired')
}

/** The query behind findPolicyBody: a row by its key. */
export function policyBodyQuery(db: Kysely<AuditTables>, digest: string) {
  return db.selectFrom('policy_bodies').select('body').where('digest', '=', digest)
}

/** A policy file's text. */
export async function findPolicyBody(db: Kysely<AuditTables>, digest: string): Promise<string | undefined> {
  return (await policyBodyQuery(db, digest).executeTakeFirst())?.body
}

/** Verdicts with their fact documents, in the order of the ids; a document that several have is read once. */
export async function findRecords(
  db: Kysely<AuditTables>,
  tenant: string,
  ids: readonly string[],
): Promise<readonly StoredRecord[]> {
  if (ids.length === 0) return []
  const rows = await recordsQuery(db, tenant, ids.slice(0, maxPage)).execute()
  if (rows.length === 0) return []
  const digests = new Set(rows.map((row) => row.document_digest))
  const documents = await documentsQuery(db, tenant, [...digests]).execute()
  const found = new Map(rows.map((row) => [row.id, row]))
  const kept = new Map(documents.map(({ digest, body }) => [digest, body ?? 'expired']))
  return ids.flatMap((id) => {
    const row = found.get(id)
    if (row === undefined) return []
    const document = kept.get(row.document_digest)
    return [{ id, body: row.body, ...(document !== undefined && { document }) }]
  })
}

/** The first query behind findRecords: every row is found by its key. */
export function recordsQuery(db: Kysely<AuditTables>, tenant: string, ids: readonly string[]) {
  return db
    .selectFrom('verdicts')
    .select(['id', 'body', 'document_digest'])
    .where('tenant', '=', tenant)
    .where('id', 'in', ids)
}

/** The second query behind findRecords, and the one behind findDocument: every row is found by its key. */
export function documentsQuery(db: Kysely<AuditTables>, tenant: string, digests: readonly string[]) {
  return db
    .selectFrom('fact_documents')
    .select(['digest', 'body'])
    .where('tenant', '=', tenant)
    .where('digest', 'in', digests)
}

/**
 * One page of verdicts, newest first, of at most `limit` (1 to 500; what lies outside counts as the nearest). It ends early
 * where filters that no index holds together have let too few through.
 */
export async function listVerdicts(db: Kysely<AuditTables>, request: ListRequest): Promise<VerdictPage> {
  const size = Math.min(Math.max(Math.trunc(request.limit), 1), maxPage)
  const { driving, floor } = await reachOf(db, { ...request, limit: size })
  const rows = await listQuery(db, { ...request, limit: size + 1, floor }, driving).execute()
  const verdicts = rows.slice(0, size).map(summaryOf)
  const before = rows.length > size ? verdicts.at(-1)?.id : floor
  if (before === undefined) return { verdicts }
  return { verdicts, next: { upTo: request.position?.upTo ?? verdicts[0]?.id ?? before, before } }
}

/** A row of verdicts as lists show it. */
export function summaryOf(row: Omit<VerdictRow, 'tenant' | 'body' | 'caller' | 'request_id'>): VerdictSummary {
  return {
    id: row.id,
    recordedAt: row.recorded_at,
    outcome: row.outcome,
    family: row.family,
    policyVersion: row.policy_version,
    policyDigest: row.policy_digest,
    osType: row.os_type,
    osId: row.os_id,
    osVersion: row.os_version,
    imageName: row.image_name,
    imageDigest: row.image_digest,
    factsDigest: row.facts_digest,
    documentDigest: row.document_digest,
    recordDigest: row.record_digest,
  }
}
