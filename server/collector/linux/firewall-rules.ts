import { contentLines, wordsOf } from './text.ts'

/** Targets that let a packet go on, or only note it. */
const harmless = new Set([
  'ACCEPT',
  'RETURN',
  'LOG',
  'ULOG',
  'NFLOG',
  'MARK',
  'CONNMARK',
  'TRACE',
  'NOTRACK',
  'CT',
  'CLASSIFY',
  'TCPMSS',
  'CHECKSUM',
  'AUDIT',
  'SET',
])

/**
 * Whether rules as iptables-save writes them are neither empty nor accept-only. Chains of their own count by their own rules;
 * address translation is no filter.
 */
export function iptablesFilters(text: string): boolean {
  const chains = new Set<string>()
  let table = 'filter'
  let filters = false
  for (const line of contentLines(text)) {
    if (line.startsWith('*')) {
      table = line.slice(1).trim()
      chains.clear()
      continue
    }
    const chain = /^:(\S+)\s+(\S+)/.exec(line)
    if (chain?.[1] !== undefined) {
      chains.add(chain[1])
      filters ||= chain[2] === 'DROP' || chain[2] === 'REJECT'
      continue
    }
    const words = wordsOf(line)
    if (words[0] === '-P' || words[0] === '--policy') filters ||= words[2] === 'DROP' || words[2] === 'REJECT'
    const at = words.findIndex((word) => word === '-j' || word === '--jump' || word === '-g' || word === '--goto')
    const target = at < 0 ? undefined : words[at + 1]
    if (target === undefined || (table === 'nat' && target !== 'DROP')) continue
    filters ||= !harmless.has(target) && !chains.has(target)
  }
  return filters
}

/** The statements of an nftables file: comments and strings are gone. */
export function nftStatements(text: string): string {
  return text.replace(/"[^"\n]{0,1000}"/g, '""').replace(/#[^\n]*/g, '')
}

/** Whether nftables rules refuse, drop or queue anything, by a verdict or by a chain's policy. */
export function nftFilters(text: string): boolean {
  return /(^|[\s;{:,])(drop|reject|queue)(?=[\s;},]|$)/.test(nftStatements(text))
}

const included = /#[^\n]*|(?<![^\s;{}])include[ \t]+(?:"([^"\n]{1,1024})"|'([^'\n]{1,1024})')|"[^"\n]*"/g

/** The files that an nftables file includes, as written: behind a line's end, a semicolon or a brace, not in comments and strings. */
export function nftIncludes(text: string): string[] {
  return [...text.matchAll(included)].map((match) => match[1] ?? match[2] ?? '').filter((path) => path !== '')
}
