import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import Database from 'better-sqlite3'
import { ImagegateError } from '../errors.ts'
import { openForReading } from './sqlite-connection.ts'
import { storeError, storeFailure } from './sqlite-errors.ts'
import { maintained } from './sqlite-maintained.ts'
import { appliedMigrations } from './sqlite-migrate.ts'
import { type TenantStatus, tenantsOf } from './status.ts'

/** What is backed up, and where to. */
export interface BackupOrder {
  /** The database, in use or not. */
  readonly from: string
  /** The file that is made. */
  readonly to: string
  /** Whether a file that is there is replaced. */
  readonly overwrite?: boolean
  /** Told now and then: pages copied, of how many; then that the copy is examined. */
  readonly progress?: (step: 'copy' | 'examine', done: number, total: number) => void
}

/** A backup that was examined and is durable. */
export interface Backup {
  readonly file: string
  readonly bytes: number
  /** SHA-256 of the file. */
  readonly digest: string
  /** What it holds of each tenant. */
  readonly tenants: readonly TenantStatus[]
}

/** Pages of one portion; 4 MiB keep the progress alive and the disk fair to the service. */
const portion = 1024

/**
 * Copies a database while others write to it: the state of one moment, examined as a whole, durable and complete under
 * its name or not there. While it is copied, the log of the database grows by what is written meanwhile. Rejects with
 * FILE_EXISTS, BACKUP_FAILED, STORE_INCOMPATIBLE or STORE_UNAVAILABLE.
 */
export async function backupSqlite({ from, to, overwrite, progress }: BackupOrder): Promise<Backup> {
  if (overwrite !== true && existsSync(to)) throw new ImagegateError('FILE_EXISTS', `${to} is there already.`)
  const draft = `${to}.${process.pid}.new`
  try {
    await (await open(draft, 'wx', 0o600)).close()
    const tenants = await copy(from, draft, progress)
    progress?.('examine', 0, 0)
    await examine(draft, tenants)
    const { bytes, digest } = await settle(draft)
    await rename(draft, to)
    await syncFolder(dirname(to))
    return { file: to, bytes, digest, tenants }
  } catch (error) {
    for (const ending of ['', '-journal', '-wal', '-shm']) await rm(`${draft}${ending}`, { force: true })
    if (error instanceof ImagegateError) throw error
    throw new ImagegateError('BACKUP_FAILED', `${from} to ${draft}: ${storeFailure(error).detail}`, { cause: error })
  }
}

async function copy(from: string, draft: string, progress: BackupOrder['progress']): Promise<readonly TenantStatus[]> {
  const source = read(from)
  const database = maintained(source, from)
  try {
    // One reading transaction from here on: without it every write of the service would begin the copy anew.
    source.exec('BEGIN')
    const tenants = await tenantsOf(database.db, await database.tables())
    await source.backup(draft, {
      progress({ totalPages, remainingPages }) {
        progress?.('copy', totalPages - remainingPages, totalPages)
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
    const found = await tenantsOf(copied.db, await copied.tables())
    if (!isDeepStrictEqual(found, expected)) {
      throw new ImagegateError('BACKUP_FAILED', `${draft} does not end where the database did.`)
    }
  } finally {
    await copied.close()
  }
}

async function settle(draft: string): Promise<{ bytes: number; digest: string }> {
  const file = await open(draft, 'r')
  try {
    await file.sync()
    const hash = createHash('sha256')
    for await (const part of createReadStream(draft)) hash.update(part)
    return { bytes: (await file.stat()).size, digest: `sha256:${hash.digest('hex')}` }
  } finally {
    await file.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
