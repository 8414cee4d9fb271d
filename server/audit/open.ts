import type { DatabasePlace } from '../database.ts'
import type { AuditSnapshot } from './snapshot.ts'
import type { Store, StoreLog, StoreReader } from './store.ts'

// Each driver is loaded only where it is used: it takes longer to load than most commands run.

/** Opens the audit record for reading and writing, migrating it first. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openStore(place: DatabasePlace, log?: StoreLog): Promise<Store> {
  const options = { ...place, ...(log && { log }) }
  if (options.kind === 'sqlite') return (await import('./sqlite.ts')).openSqliteStore(options)
  return (await import('./postgres.ts')).openPostgresStore(options)
}

/** Opens a migrated audit record for reading alone. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openReader(place: DatabasePlace): Promise<StoreReader> {
  if (place.kind === 'sqlite') return (await import('./sqlite.ts')).openSqliteReader(place)
  return (await import('./postgres.ts')).openPostgresReader(place)
}

/** Opens one moment of a migrated audit record, of every tenant. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openSnapshot(place: DatabasePlace): Promise<AuditSnapshot> {
  if (place.kind === 'sqlite') return (await import('./sqlite-snapshot.ts')).openSqliteSnapshot(place.file)
  return (await import('./postgres-snapshot.ts')).openPostgresSnapshot(place.url)
}
