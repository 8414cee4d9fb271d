import { createHash } from 'node:crypto'
import type { Bytes } from './bytes.ts'

/** SHA-256 of the whole file as `sha256:<hex>`: one full read, so only when it was asked for. */
export async function digestOf(file: Bytes, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for (let offset = 0; offset < file.size; ) {
    signal?.throwIfAborted()
    const piece = await file.read(offset, 1_048_576)
    if (piece.length === 0) break
    hash.update(piece)
    offset += piece.length
  }
  return `sha256:${hash.digest('hex')}`
}
