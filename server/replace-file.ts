import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What became of a file: its size, and the SHA-256 of its bytes as `sha256:<hex>`. */
export interface Written {
  readonly bytes: number
  readonly digest: string
}

/** Writes texts one after the other; resolves when a text was handed over, so that the disk slows the writer. */
export type Append = (text: string | Uint8Array) => Promise<void>

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function appendTo(file: FileHandle, enough: number) {
  const hash = createHash('sha256')
  let parts: Uint8Array[] = []
  let waiting = 0
  let bytes = 0
  const flush = async () => {
    const whole = Buffer.concat(parts)
    parts = []
    waiting = 0
    await file.writeFile(whole)
  }
  return {
    async append(text: string | Uint8Array) {
      const part = typeof text === 'string' ? Buffer.from(text) : text
      hash.update(part)
      bytes += part.length
      waiting += part.length
      parts.push(part)
      if (waiting >= enough) await flush()
    },
    async end(): Promise<Written> {
      await flush()
      await file.sync()
      return { bytes, digest: `sha256:${hash.digest('hex')}` }
    },
  }
}

/**
 * Replaces a file in one step and durably by what `write` appends, so that a reader sees the old one or the new one and
 * never a part. When it rejects, or does not end, the old file stays as it was. `before` is called when the new file is
 * whole and durable, before it takes the place of the old one.
 */
export async function replaceFileBy(
  path: string,
  write: (append: Append) => Promise<void>,
  mode = 0o644,
  before?: () => Promise<void>,
): Promise<Written> {
  const draft = `${path}.${process.pid}.new`
  try {
    const file = await open(draft, 'w', mode)
    let written: Written
    try {
      const { append, end } = appendTo(file, 1 << 16)
      await write(append)
      written = await end()
    } finally {
      await file.close()
    }
    await before?.()
    await rename(draft, path)
    await syncDirectory(dirname(path))
    return written
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/** The same by one text. */
export async function replaceFile(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  await replaceFileBy(path, (append) => append(content), mode)
}

/** Removes a file durably, if it is there. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true })
  await syncDirectory(dirname(path))
}
