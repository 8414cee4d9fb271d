import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

const ours = /^imagegate-(\d+)-[0-9A-Za-z]{6}$/

/** A process of another container may use the folder and be unseen from here, so what is young stays. */
const youngest = 24 * 60 * 60 * 1000

/** How the name of a run's folder begins; mkdtemp adds six characters. */
export const folderPrefix = `imagegate-${process.pid}-`

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/**
 * Removes the folders that runs which were killed have left: our user's own, a day old, of processes that are gone.
 * Not as root: the programs' user, who may be hostile by then, could put links in the way of what root removes.
 */
export async function removeAbandoned(temporary: string, now = Date.now()): Promise<void> {
  const own = process.geteuid?.()
  if (own === 0) return
  for (const name of await readdir(temporary).catch(() => [])) {
    const pid = Number(ours.exec(name)?.[1] ?? Number.NaN)
    if (Number.isNaN(pid) || runs(pid)) continue
    const path = join(temporary, name)
    try {
      const { uid, mtimeMs } = await lstat(path)
      if (uid === own && now - mtimeMs > youngest) await rm(path, { recursive: true, force: true })
    } catch {
      // Somebody else removes it, or a mount of the killed run still holds it: the next run tries again.
    }
  }
}
