import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const top = join(tmpdir(), `imagegate-images-${process.getuid?.() ?? 0}`)

const there = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Removes what lies below a folder, and nothing that another file system put there. */
async function remove(path: string): Promise<void> {
  for (const name of ['proc', 'sys', 'dev']) {
    const inside = await stat(join(path, 'tree', name)).catch(() => undefined)
    const own = await stat(path).catch(() => undefined)
    if (inside && own && inside.dev !== own.dev) throw new Error(`${path} has a file system mounted in it.`)
  }
  await rm(path, { recursive: true, force: true })
}

async function alive(lock: string): Promise<boolean> {
  const pid = Number(await readFile(join(lock, 'pid'), 'utf8').catch(() => ''))
  if (pid === 0) return Date.now() - (await stat(lock).catch(() => ({ mtimeMs: 0 }))).mtimeMs < 10_000
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Takes a lock that ends with the process that holds it. */
async function locked<T>(lock: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    const taken = await mkdir(lock).then(
      () => true,
      () => false,
    )
    if (taken) break
    if (!(await alive(lock))) await rm(lock, { recursive: true, force: true })
    await wait(200)
  }
  await writeFile(join(lock, 'pid'), String(process.pid))
  try {
    return await work()
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

/**
 * A folder that is made once for each recipe and kept in the machine's folder for temporary files. Several processes may
 * ask at once; a folder that was not finished is not used.
 */
export async function cached(name: string, recipe: unknown, make: (folder: string) => Promise<void>): Promise<string> {
  const digest = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 16)
  const folder = join(top, `${name}-${digest}`)
  await mkdir(top, { recursive: true, mode: 0o700 })
  const { uid, mode } = await stat(top)
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) throw new Error(`${top} is not ours alone.`)
  if (await there(folder)) return folder
  return locked(`${folder}.lock`, async () => {
    if (await there(folder)) return folder
    const part = `${folder}.part`
    await remove(part)
    await mkdir(part)
    await make(part)
    await rename(part, folder)
    return folder
  })
}
