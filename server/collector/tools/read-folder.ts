import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { GuestError } from '../guest.ts'

/** All that one run may leave behind. Unit: bytes. */
const largestSum = 268_435_456

/**
 * Regular files that a program left in its folder, by name. Links are not followed: the program read hostile bytes.
 * Throws a GuestError (too-large) above the caps.
 */
export async function readFolder(
  folder: string,
  except: ReadonlySet<string>,
  maxBytes: number,
): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>()
  let sum = 0
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile() || except.has(entry.name)) continue
    const file = await open(join(folder, entry.name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const { size } = await file.stat()
      sum += size
      if (size > maxBytes || sum > largestSum) throw new GuestError('too-large', 'A program left too much behind.')
      files.set(entry.name, await file.readFile())
    } finally {
      await file.close()
    }
  }
  return files
}
