import { GuestError, type GuestFiles } from '../guest.ts'
import { type Configured, ipv6Of, kindOfName } from './interface.ts'
import { fits, linesOf, readText, wordsOf } from './text.ts'

const maxFiles = 128
const maxDepth = 8

interface Stanza {
  readonly name: string
  readonly family: string
  readonly method: string
  readonly options: [string, string][]
}

interface Parsed {
  readonly stanzas: Stanza[]
  readonly auto: Set<string>
  readonly hotplug: Set<string>
}

/** Lines with those that a backslash continues joined to them. */
function joinedLines(text: string): string[] {
  const joined: string[] = []
  let carried = ''
  for (const line of linesOf(text)) {
    if (carried === '' && line.trimStart().startsWith('#')) continue
    if (line.endsWith('\\')) {
      carried += `${line.slice(0, -1)} `
      continue
    }
    joined.push((carried + line).trim())
    carried = ''
  }
  return joined.filter((line) => line !== '')
}

async function sourced(files: GuestFiles, pattern: string, whole: boolean): Promise<string[]> {
  const path = pattern.startsWith('/') ? pattern : `/etc/network/${pattern}`
  if (whole) {
    // Names that run-parts takes; ifupdown's source-directory is as choosy.
    const entries = (await files.list(path)) ?? []
    return entries.filter(({ name }) => /^[A-Za-z0-9_-]+$/.test(name)).map(({ name }) => `${path}/${name}`)
  }
  if (!/[*?[]/.test(path)) return [path]
  const at = path.lastIndexOf('/')
  const entries = (await files.list(path.slice(0, at))) ?? []
  const names = entries
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('.') && fits(path.slice(at + 1), name))
  return names.sort().map((name) => `${path.slice(0, at)}/${name}`)
}

async function parse(files: GuestFiles, path: string, into: Parsed, seen: Set<string>, depth: number): Promise<void> {
  if (seen.has(path)) return
  seen.add(path)
  if (depth > maxDepth || seen.size > maxFiles)
    throw new GuestError('unsupported', 'interfaces includes too many files.')
  const text = await readText(files, path)
  if (text === undefined) return
  let current: Stanza | undefined
  for (const line of joinedLines(text)) {
    const [keyword = '', ...rest] = wordsOf(line)
    if (keyword === 'iface') {
      const [name = '', family = 'inet', method = 'static'] = rest
      current = { name, family, method, options: [] }
      into.stanzas.push(current)
    } else if (keyword === 'auto' || keyword === 'allow-auto') {
      for (const name of rest) into.auto.add(name)
    } else if (keyword === 'allow-hotplug') {
      for (const name of rest) into.hotplug.add(name)
    } else if (keyword === 'source' || keyword === 'source-directory') {
      for (const pattern of rest) {
        const paths = await sourced(files, pattern, keyword === 'source-directory')
        for (const one of paths) await parse(files, one, into, seen, depth + 1)
      }
    } else if (keyword === 'mapping' || keyword.startsWith('no-auto-down') || keyword.startsWith('allow-')) {
      current = undefined
    } else current?.options.push([keyword, rest.join(' ')])
  }
}

function configured(name: string, stanzas: readonly Stanza[], parsed: Parsed): Configured {
  const has = (option: string) =>
    stanzas.some(({ options }) => options.some(([key, value]) => key === option && value !== 'none'))
  const inet = stanzas.filter(({ family }) => family === 'inet')
  const dhcp = inet.some(({ method }) => method === 'dhcp')
  const fixed = inet.some(({ method, name: own }) => method === 'static' && own === name)
  const byName = kindOfName(name)
  const physical = byName === 'physical' || byName === 'bridge' || byName === 'bond'
  const kind =
    has('bridge_ports') || has('bridge-ports') ? 'bridge' : has('bond-mode') || has('bond-slaves') ? 'bond' : byName
  const addresses6 = stanzas
    .filter(({ family, method }) => family === 'inet6' && method !== 'auto' && method !== 'dhcp')
    .flatMap(({ options }) => options.filter(([key]) => key === 'address').map(([, value]) => ipv6Of(value)))
  return {
    name,
    kind: has('vlan-raw-device') || has('vlan_raw_device') ? 'vlan' : kind,
    up: parsed.auto.has(name) || (parsed.hotplug.has(name) && physical),
    ipv4: dhcp ? 'dhcp' : fixed ? 'static' : 'none',
    carrier: 'ifupdown',
    route: dhcp || inet.some(({ options }) => options.some(([key]) => key === 'gateway')),
    addresses6: addresses6.filter((address) => address !== undefined),
  }
}

/** The interfaces of /etc/network/interfaces and what it includes. An alias such as eth0:1 belongs to its interface. */
export async function readIfupdown(files: GuestFiles): Promise<Configured[]> {
  const parsed: Parsed = { stanzas: [], auto: new Set(), hotplug: new Set() }
  await parse(files, '/etc/network/interfaces', parsed, new Set(), 0)
  const groups = new Map<string, Stanza[]>()
  for (const stanza of parsed.stanzas) {
    const name = stanza.name.split(':')[0] ?? ''
    if (name === '') continue
    const group = groups.get(name)
    if (group) group.push(stanza)
    else groups.set(name, [stanza])
  }
  return [...groups].map(([name, stanzas]) => configured(name, stanzas, parsed))
}
