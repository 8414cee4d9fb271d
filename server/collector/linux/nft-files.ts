import { posix } from 'node:path'
import { GuestError, type GuestFiles } from '../guest.ts'
import { nftFilters, nftIncludes } from './firewall-rules.ts'
import { fits, readText } from './text.ts'

const maxFiles = 128
const maxDepth = 8

async function expand(files: GuestFiles, pattern: string): Promise<string[]> {
  // What begins with neither a slash nor a dot is looked for in nft's own directory; a service works in /.
  const path = posix.resolve(pattern.startsWith('.') ? '/' : '/etc', pattern)
  if (!/[*?[]/.test(path)) return [path]
  const at = path.lastIndexOf('/')
  const [directory, last] = [path.slice(0, at), path.slice(at + 1)]
  if (/[*?[]/.test(directory))
    throw new GuestError('unsupported', 'An include of nftables has wildcards in a directory.')
  const entries = (await files.list(directory)) ?? []
  return entries.filter(({ name }) => fits(last, name)).map(({ name }) => `${directory}/${name}`)
}

/** Whether the rules of an nftables file filter, those of its includes too. A file that is missing loads nothing. */
export async function nftFileFilters(files: GuestFiles, path: string): Promise<boolean> {
  const seen = new Set<string>()
  const visit = async (file: string, depth: number): Promise<boolean> => {
    if (seen.has(file)) return false
    seen.add(file)
    if (depth > maxDepth || seen.size > maxFiles)
      throw new GuestError('unsupported', 'The includes of nftables go too deep.')
    const text = await readText(files, file)
    if (text === undefined) return false
    if (nftFilters(text)) return true
    for (const pattern of nftIncludes(text)) {
      for (const one of await expand(files, pattern)) if (await visit(one, depth + 1)) return true
    }
    return false
  }
  return visit(path, 0)
}
