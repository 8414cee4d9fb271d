import type { Kysely } from 'kysely'
import { findApiKey, listApiKeys } from './api-key-queries.ts'
import { findProof, readCheckpoints, readCoverage, readEntries } from './chain-queries.ts'
import { readChanges } from './change-queries.ts'
import type { Dialect } from './list-request.ts'
import { findDocument, findIdempotent, findPolicyBody, findRecords, findVerdict, listVerdicts } from './queries.ts'
import { listReads } from './read-queries.ts'
import { countShadows, listShadows } from './shadow-queries.ts'
import { readCountsByDay, readMostFrequent } from './statistics-queries.ts'
import type { StoreReader } from './store.ts'
import type { AuditTables } from './tables.ts'

/**
 * Runs queries of one tenant, or of what belongs to none, on a connection of a driver. Rejects with STORE_UNAVAILABLE
 * or STORE_INCOMPATIBLE; an ImagegateError of the queries passes.
 */
export type RunQueries = <T>(tenant: string | undefined, queries: (db: Kysely<AuditTables>) => Promise<T>) => Promise<T>

/** What every driver reads alike; a driver brings the connection and closes it. */
export function storeReader(
  dialect: Dialect,
  run: RunQueries,
  version: StoreReader['version'],
): Omit<StoreReader, 'close'> {
  return {
    version,
    // A key is asked for before its tenant is known.
    apiKey: (id) => run('*', (db) => findApiKey(db, id)),
    apiKeys: (tenant) => run(tenant ?? '*', (db) => listApiKeys(db, tenant)),
    idempotent: (tenant, key) => run(tenant, (db) => findIdempotent(db, tenant, key)),
    verdict: (tenant, id) => run(tenant, (db) => findVerdict(db, tenant, id)),
    document: (tenant, digest) => run(tenant, (db) => findDocument(db, tenant, digest)),
    policyBody: (digest) => run(undefined, (db) => findPolicyBody(db, digest)),
    records: (tenant, ids) => run(tenant, (db) => findRecords(db, tenant, ids)),
    changes: (tenant, after, limit) => run(tenant, (db) => readChanges(db, tenant, after, limit)),
    entries: (tenant, after, limit) => run(tenant, (db) => readEntries(db, tenant, after, limit)),
    list: (tenant, filter, limit, position) =>
      run(tenant, (db) => listVerdicts(db, { dialect, tenant, filter, limit, position })),
    reads: (tenant, filter, limit, position) => run(tenant, (db) => listReads(db, { tenant, filter, limit, position })),
    checkpoints: (tenant, after, limit) => run(tenant, (db) => readCheckpoints(db, tenant, after, limit)),
    proof: (tenant, id) => run(tenant, (db) => findProof(db, tenant, id)),
    coverage: () => run('*', readCoverage),
    countsByDay: (tenant, period, subject) => run(tenant, (db) => readCountsByDay(db, tenant, period, subject)),
    mostFrequent: (tenant, period, result, limit) =>
      run(tenant, (db) => readMostFrequent(db, tenant, period, { result, limit })),
    shadowCounts: (tenant, candidate) => run(tenant, (db) => countShadows(db, tenant, candidate)),
    shadows: (tenant, candidate, filter, limit, before) =>
      run(tenant, (db) => listShadows(db, { tenant, candidate, filter, limit, before })),
  }
}
