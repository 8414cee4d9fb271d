import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** How often the files are looked at, in milliseconds. */
const everyMs = 500

async function lookAt(path: string): Promise<string> {
  const { ino, size, mtimeNs } = await stat(path, { bigint: true })
  return `${path} ${ino} ${size} ${mtimeNs}`
}

async function paths(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const entries = await readdir(path, { withFileTypes: true })
  const inner = entries.map(async (entry) => {
    const one = join(path, entry.name)
    return entry.isDirectory() ? (await readdir(one)).map((name) => join(one, name)) : [one]
  })
  return (await Promise.all(inner)).flat()
}

/** What tells a file or a folder of two levels from what it was: identity, size and time of every file. */
async function fingerprint(path: string): Promise<string> {
  try {
    return (await Promise.all((await paths(path)).map(lookAt))).sort().join('\n')
  } catch (error) {
    // Gone, or going while it was looked at: another state like any other.
    return `unreadable ${error instanceof Error && 'code' in error ? String(error.code) : ''}`
  }
}

/** What tells files and folders as they are now from what they become. */
export async function lookAtFiles(watched: readonly string[]): Promise<string> {
  return (await Promise.all(watched.map(fingerprint))).join('\n\n')
}

/**
 * Calls `changed` when files or folders have changed since a look and then stood still between two looks, until the signal aborts.
 * It looks instead of listening: listening loses a folder or link that another was renamed onto, and network file systems.
 */
export async function watchFiles(
  watched: readonly string[],
  since: string,
  changed: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  let told = since
  let seen = since
  while (!signal.aborted) {
    await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
    if (signal.aborted) return
    const now = await lookAtFiles(watched)
    const still = now === seen
    seen = now
    if (!still || now === told) continue
    told = now
    await changed()
  }
}
