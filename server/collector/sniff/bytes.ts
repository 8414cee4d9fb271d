import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { GuestError } from '../guest.ts'

/** Bytes that can be read at any place. */
export interface Bytes {
  /** Unit: bytes. */
  readonly size: number
  /** What stands there; shorter at the end of the file. */
  read(offset: number, length: number): Promise<Buffer>
}

/** A file that is open for reading and nothing else. */
export interface OpenBytes extends Bytes {
  /** Tells whether the file is still the one that was opened and was not written since. */
  unchanged(): Promise<boolean>
  close(): Promise<void>
}

/** The longest piece that is read at once, in bytes: no table of a header needs more. */
const longestRead = 4_194_304

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  if (!Number.isSafeInteger(offset) || offset < 0) return Buffer.alloc(0)
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, longestRead)))
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/** A block device tells no size to fstat, so the last readable byte is searched for. */
async function deviceSize(handle: FileHandle): Promise<number> {
  const readable = async (offset: number) => (await readAt(handle, offset, 1)).length === 1
  let low = 0
  let high = 512
  while (high < Number.MAX_SAFE_INTEGER / 2 && (await readable(high - 1))) {
    low = high
    high *= 2
  }
  while (high - low > 512) {
    const middle = low + Math.floor((high - low) / 1024) * 512
    if (await readable(middle + 511)) low = middle + 512
    else high = middle
  }
  return low
}

/** Opens an image read-only. Throws a GuestError for what is neither a regular file nor a block device. */
export async function openBytes(path: string): Promise<OpenBytes> {
  // A pipe would hang in open without O_NONBLOCK.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  try {
    const first = await handle.stat({ bigint: true })
    if (!first.isFile() && !first.isBlockDevice())
      throw new GuestError('refused', 'The image is neither a regular file nor a block device.')
    const size = first.isFile() ? Number(first.size) : await deviceSize(handle)
    const unchanged = async () => {
      const [now, named] = await Promise.all([
        handle.stat({ bigint: true }),
        open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY),
      ])
      const other = await named.stat({ bigint: true }).finally(() => named.close())
      const same = other.ino === first.ino && other.dev === first.dev
      return same && now.size === first.size && now.mtimeNs === first.mtimeNs
    }
    return { size, read: (offset, length) => readAt(handle, offset, length), unchanged, close: () => handle.close() }
  } catch (error) {
    await handle.close()
    throw error
  }
}
