import type { DatabasePlace } from '../database.ts'
import type { Backup, BackupOrder } from './backup-file.ts'
import type { CopyTarget, MaintainedDatabase } from './maintained.ts'

// Each driver is loaded only where it is used: it takes longer to load than most commands run.

/** Opens a database, in use or not, migrated or not, for reading. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openMaintained(place: DatabasePlace): Promise<MaintainedDatabase> {
  if (place.kind === 'sqlite') return (await import('./sqlite-maintained.ts')).openMaintainedSqlite(place.file)
  return (await import('./postgres-maintained.ts')).openMaintainedPostgres(place.url)
}

/** Backs a database up as its driver does. Rejects with FILE_EXISTS, BACKUP_FAILED, STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function backupDatabase(place: DatabasePlace, order: BackupOrder): Promise<Backup> {
  if (place.kind === 'sqlite') return (await import('./sqlite-backup.ts')).backupSqlite(place.file, order)
  return (await import('./postgres-backup.ts')).backupPostgres(place.url, order)
}

/** Opens a database to copy from; nobody writes to it until it is closed. Rejects with STORE_UNAVAILABLE. */
export async function openSource(place: DatabasePlace): Promise<MaintainedDatabase> {
  if (place.kind === 'sqlite') return (await import('./sqlite-copy.ts')).openSqliteSource(place.file)
  return (await import('./postgres-copy.ts')).openPostgresSource(place.url)
}

/** Migrates a database to copy to; a SQLite file is made. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openTarget(place: DatabasePlace): Promise<CopyTarget> {
  if (place.kind === 'sqlite') return (await import('./sqlite-copy.ts')).openSqliteTarget(place.file)
  return (await import('./postgres-copy.ts')).openPostgresTarget(place.url)
}
