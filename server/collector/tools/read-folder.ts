import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { GuestError } from '../guest.ts'

/** All that one run may leave behind. Unit: bytes. */
const largestSum = 268_435_456

/**
 * A regular file that a program left, or undefined for anything else: links are not followed, since the program read
 * hostile bytes. Throws a GuestError (too-large).
 */
export async function readGuarded(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const file = await open(path, flags).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const found = await file.stat()
    if (!found.isFile()) return undefined
    if (found.size > maxBytes) throw new GuestError('too-large', 'A program left too much behind.')
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/** The regular files that a program left in its folder, by name. Throws a GuestError (too-large) above the caps. */
export async function readFolder(
  folder: string,
  except: ReadonlySet<string>,
  maxBytes: number,
): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>()
  let room = largestSum
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile() || except.has(entry.name)) continue
    const bytes = await readGuarded(join(folder, entry.name), Math.min(maxBytes, room))
    if (bytes === undefined) continue
    room -= bytes.length
    files.set(entry.name, bytes)
  }
  return files
}
