import { GuestError, type GuestFiles } from '../guest.ts'
import { contentLines, fits, readText, wordsOf } from './text.ts'

const maxDepth = 16
const maxFiles = 256

/** Ports and addresses that an sshd_config states, includes read in place. */
export interface SshdConfig {
  readonly ports: readonly number[]
  readonly addresses: readonly { readonly host: string; readonly port?: number }[]
}

/** A TCP port in decimal; undefined for anything else. */
export function portNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return undefined
  const port = Number(text)
  return port >= 1 && port <= 65_535 ? port : undefined
}

/** Splits host, host:port, [host]:port and a bare IPv6 address. */
export function listenAddress(text: string): { host: string; port?: number } {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text)
  const plain = /^([^:]*):(\d{1,5})$/.exec(text)
  const match = bracketed ?? plain
  const port = portNumber(match?.[2])
  const host = match?.[1] ?? text
  return port === undefined ? { host } : { host, port }
}

/** Addresses that only the machine itself reaches. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}

/** The paths that an include names; wildcards are taken in the last name only, in the order of the alphabet. */
async function included(files: GuestFiles, pattern: string, base: string): Promise<string[]> {
  const path = pattern.startsWith('/') ? pattern : `${base}/${pattern}`
  if (!/[*?[]/.test(path)) return [path]
  const at = path.lastIndexOf('/')
  const [directory, last] = [path.slice(0, at), path.slice(at + 1)]
  if (/[*?[]/.test(directory))
    throw new GuestError('unsupported', 'An Include of sshd_config has wildcards in a directory.')
  const entries = (await files.list(directory)) ?? []
  const names = entries.map(({ name }) => name).filter((name) => fits(last, name) && !name.startsWith('.'))
  return names.sort().map((name) => `${directory}/${name}`)
}

function keywordOf(line: string): { keyword: string; values: string[] } {
  const match = /^"?([A-Za-z0-9]+)"?(?:\s*=\s*|\s+)?(.*)$/.exec(line)
  const values = wordsOf(match?.[2] ?? '').map((word) => word.replace(/^"(.*)"$/, '$1'))
  const comment = values.findIndex((word) => word.startsWith('#'))
  return { keyword: match?.[1]?.toLowerCase() ?? '', values: comment < 0 ? values : values.slice(0, comment) }
}

/**
 * Reads an sshd_config. Ports and addresses add up, wherever they stand; behind Match neither may, and an Include there holds
 * for some connections only. Undefined when the file does not exist.
 */
export async function readSshdConfig(files: GuestFiles, path: string): Promise<SshdConfig | undefined> {
  const ports: number[] = []
  const addresses: { host: string; port?: number }[] = []
  let seen = 0

  const take = async (file: string, chain: readonly string[]): Promise<boolean> => {
    seen += 1
    if (chain.includes(file) || chain.length > maxDepth || seen > maxFiles) {
      throw new GuestError('unsupported', 'The includes of sshd_config go too deep or form a circle.')
    }
    const text = await readText(files, file)
    if (text === undefined) return false
    for (const line of contentLines(text)) {
      const { keyword, values } = keywordOf(line)
      if (keyword === 'match') return true
      const port = keyword === 'port' ? portNumber(values[0]) : undefined
      if (port !== undefined) ports.push(port)
      if (keyword === 'listenaddress' && values[0] !== undefined) addresses.push(listenAddress(values[0]))
      if (keyword !== 'include') continue
      for (const pattern of values) {
        for (const one of await included(files, pattern, '/etc/ssh')) await take(one, [...chain, file])
      }
    }
    return true
  }
  return (await take(path, [])) ? { ports, addresses } : undefined
}
