import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ImagegateError } from '../errors.ts'
import type { TenantStatus } from './status.ts'

/** What a backup is made with. */
export interface BackupOrder {
  /** The file that is made. */
  readonly to: string
  /** Whether a file that is there is replaced. */
  readonly overwrite?: boolean
  /** Told now and then what is being done. */
  readonly progress?: (doing: string) => void
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

/**
 * Has a file made beside its place, for the owner alone, and gives it its name once it is durable; whatever fails leaves
 * nothing behind and what was there as it was. Rejects with FILE_EXISTS or with what `make` rejects with.
 */
export async function backupFile(
  { to, overwrite, progress }: BackupOrder,
  make: (draft: string) => Promise<readonly TenantStatus[]>,
): Promise<Backup> {
  if (overwrite !== true && existsSync(to)) throw new ImagegateError('FILE_EXISTS', `${to} is there already.`)
  const draft = `${to}.${process.pid}.new`
  try {
    await (await open(draft, 'wx', 0o600)).close()
    const tenants = await make(draft)
    progress?.('making the backup durable')
    const { bytes, digest } = await settle(draft)
    await rename(draft, to)
    await syncFolder(dirname(to))
    return { file: to, bytes, digest, tenants }
  } catch (error) {
    for (const ending of ['', '-journal', '-wal', '-shm']) await rm(`${draft}${ending}`, { force: true })
    throw error
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
