import { chmod, lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GuestError, type GuestFiles } from '../../../server/collector/guest.ts'

/** A directory of this machine as files of a guest; the owner's write permission stands for the read-only attribute. */
export function directoryFiles(root: string): GuestFiles {
  const absent = (error: unknown): undefined => {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined
    throw error
  }
  const stat: GuestFiles['stat'] = async (path) => {
    const found = await lstat(join(root, path)).catch(absent)
    if (found === undefined) return undefined
    const kind = found.isDirectory() ? 'directory' : found.isFile() ? 'file' : 'other'
    return { kind, sizeBytes: found.size, readOnly: (found.mode & 0o200) === 0 }
  }
  return {
    stat,
    read: async (path, maxBytes = 1_048_576) => {
      const content = await readFile(join(root, path)).catch(absent)
      if (content !== undefined && content.length > maxBytes) throw new GuestError('too-large', `${path} is too large.`)
      return content
    },
    list: async (path) => {
      const entries = await readdir(join(root, path), { withFileTypes: true }).catch(absent)
      return entries?.map((entry) => ({ name: entry.name, kind: entry.isDirectory() ? 'directory' : 'file' }))
    },
  }
}

/** Writes files below a directory; those named in readOnly cannot be written. */
export async function writeContents(
  root: string,
  contents: ReadonlyMap<string, Buffer>,
  readOnly: readonly string[] = [],
): Promise<void> {
  for (const [path, content] of contents) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
    if (readOnly.includes(path)) await chmod(join(root, path), 0o400)
  }
}
