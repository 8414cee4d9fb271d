import { Header } from 'tar'
import { ImagegateError } from '../errors.ts'
import { quoteText } from './text.ts'

/** One file of an archive. */
export interface ArchiveFile {
  readonly path: string
  readonly bytes: Buffer
}

const block = 512

function padding(length: number): number {
  return (block - (length % block)) % block
}

/** A tar archive of plain files that depends on nothing but their paths and bytes. */
export function packFiles(files: readonly ArchiveFile[]): Buffer {
  const parts = files.flatMap(({ path, bytes }) => {
    const head = Buffer.alloc(block)
    const owner = { uid: 0, gid: 0, uname: '', gname: '' }
    new Header({ path, mode: 0o644, ...owner, size: bytes.length, mtime: new Date(0), type: 'File' }).encode(head)
    return [head, bytes, Buffer.alloc(padding(bytes.length))]
  })
  return Buffer.concat([...parts, Buffer.alloc(2 * block)])
}

function invalid(message: string): ImagegateError {
  return new ImagegateError('BUNDLE_INVALID', message)
}

function readHeader(bytes: Buffer, at: number): Header {
  if (at + block > bytes.length) throw invalid('The archive ends in the middle.')
  const header = new Header(bytes, at)
  if (!header.nullBlock && !header.cksumValid) throw invalid(`There is no header of a tar archive at byte ${at}.`)
  return header
}

/**
 * The files of an archive that packFiles made. `admit` throws for a path or a size in bytes that is not wanted, before
 * its bytes are touched. Throws BUNDLE_INVALID for links, folders, extensions, and any byte that packFiles does not write.
 */
export function unpackFiles(bytes: Buffer, admit: (path: string, size: number) => void): ArchiveFile[] {
  const files: ArchiveFile[] = []
  let at = 0
  for (;;) {
    const { nullBlock, path = '', size = 0, type } = readHeader(bytes, at)
    if (nullBlock) break
    if (type !== 'File') throw invalid(`${quoteText(path)} is not a plain file.`)
    admit(path, size)
    const from = at + block
    if (from + size > bytes.length) throw invalid(`${quoteText(path)} ends in the middle.`)
    files.push({ path, bytes: bytes.subarray(from, from + size) })
    at = from + size + padding(size)
  }
  // What is hidden in names, owners, padding or behind the end shows here.
  if (!packFiles(files).equals(bytes)) throw invalid('The archive is not in the one form that a bundle has.')
  return files
}
