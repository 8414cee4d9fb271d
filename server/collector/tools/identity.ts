import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Identity } from './spawn.ts'

const nobody = 65_534

async function openToAll(path: string): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 0) return false
    if (folder === dirname(folder)) return true
  }
}

/**
 * Whom programs run as when we are root: nobody where everyone may read the image, else its owner; undefined when that is
 * root too, and when we are no root ourselves.
 */
export async function identityFor(path: string): Promise<Identity | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const { mode, uid, gid } = await stat(path)
  if ((mode & 0o004) !== 0 && (await openToAll(path))) return { uid: nobody, gid: nobody }
  return uid === 0 ? undefined : { uid, gid }
}

/**
 * Where temporary files go: the configured folder, or where programs run as somebody who cannot enter it, a common one.
 * Privileges are dropped even when root keeps a folder of its own.
 */
export async function temporaryFolder(identity: Identity | undefined): Promise<string> {
  const configured = tmpdir()
  if (identity === undefined) return configured
  for (const folder of [configured, '/tmp', '/var/tmp']) {
    if (await openToAll(join(folder, 'inside')).catch(() => false)) return folder
  }
  return configured
}
