import { isDeepStrictEqual } from 'node:util'
import Database from 'better-sqlite3'
import { ImagegateError } from '../errors.ts'
import { type Backup, type BackupOrder, backupFile } from './backup-file.ts'
import { openForReading } from './sqlite-connection.ts'
import { storeError, storeFailure } from './sqlite-errors.ts'
import { maintained } from './sqlite-maintained.ts'
import { appliedMigrations } from './sqlite-migrate.ts'
import { type TenantStatus, tableNames, tenantsOf } from './status.ts'

/** Pages of one portion; 4 MiB keep the progress alive and the disk fair to the service. */
const portion = 1024

/**
 * Copies a database while others write to it: the state of one moment, examined as a whole, durable and complete under
 * its name or not there. While it is copied, the log of the database grows by what is written meanwhile. Rejects with
 * FILE_EXISTS, BACKUP_FAILED, STORE_INCOMPATIBLE or STORE_UNAVAILABLE.
 */
export async function backupSqlite(from: string, order: BackupOrder): Promise<Backup> {
  try {
    return await backupFile(order, async (draft) => {
      const tenants = await copy(from, draft, order.progress)
      order.progress?.('examining the copy')
      await examine(draft, tenants)
      return tenants
    })
  } catch (error) {
    if (error instanceof ImagegateError) throw error
    const { detail } = storeFailure(error)
    throw new ImagegateError('BACKUP_FAILED', `${from} to ${order.to}: ${detail}`, { cause: error })
  }
}

async function copy(from: string, draft: string, progress: BackupOrder['progress']): Promise<readonly TenantStatus[]> {
  const source = read(from)
  const database = maintained(source, from)
  try {
    // One reading transaction from here on: without it every write of the service would begin the copy anew.
    source.exec('BEGIN')
    const tenants = await tenantsOf(database.db, await tableNames(database))
    await source.backup(draft, {
      progress({ totalPages, remainingPages }) {
        progress?.(`${totalPages - remainingPages} of ${totalPages} pages copied`)
        return portion
      },
    })
    return tenants
  } finally {
    await database.close()
  }
}

function read(from: string): Database.Database {
  try {
    const source = openForReading(from)
    if (appliedMigrations(source).length > 0) return source
    source.close()
  } catch (error) {
    throw storeError(error)
  }
  throw new ImagegateError('STORE_INCOMPATIBLE', 'The database is empty: no migration was applied to it.')
}

/** The copy becomes one file without a log beside it, is examined by SQLite and must end as the source did. */
async function examine(draft: string, expected: readonly TenantStatus[]): Promise<void> {
  const database = new Database(draft, { fileMustExist: true })
  const copied = maintained(database, draft)
  try {
    database.pragma('journal_mode = DELETE')
    const said = database.pragma('integrity_check', { simple: true })
    if (said !== 'ok') throw new ImagegateError('BACKUP_FAILED', `${draft} is damaged: ${String(said)}`)
    const found = await tenantsOf(copied.db, await tableNames(copied))
    if (!isDeepStrictEqual(found, expected)) {
      throw new ImagegateError('BACKUP_FAILED', `${draft} does not end where the database did.`)
    }
  } finally {
    await copied.close()
  }
}
