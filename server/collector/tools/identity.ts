import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
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
