import type { BootEntry, DefaultBoot } from './boot-entry.ts'
import { type GrubStatement, parseGrubScript } from './grub-script.ts'
import { linesOf } from './text.ts'

/** The variables of a grubenv block. */
export function parseGrubenv(text: string): Map<string, string> {
  const variables = new Map<string, string>()
  for (const line of linesOf(text)) {
    const at = line.indexOf('=')
    if (at > 0 && !line.startsWith('#')) variables.set(line.slice(0, at), line.slice(at + 1).replace(/\\(.)/g, '$1'))
  }
  return variables
}

/** Puts values in the place of $name and ${name}; a name without a value becomes nothing, as in GRUB. */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(
    /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g,
    (_, braced?: string, plain?: string) => {
      return variables.get(braced ?? plain ?? '') ?? ''
    },
  )
}

interface Node {
  readonly entry: BootEntry
  readonly children: readonly Node[] | undefined
}

const linuxCommands = new Set(['linux', 'linux16', 'linuxefi'])
const moduleCommands = new Set(['module', 'module2'])
const initrdCommands = new Set(['initrd', 'initrd16', 'initrdefi'])

function nodeOf(statement: GrubStatement, variables: ReadonlyMap<string, string>): Node | undefined {
  const [command, title = '', ...options] = statement.words
  if (statement.block === undefined || (command !== 'menuentry' && command !== 'submenu')) return undefined
  const ids = options.flatMap((word, index) => {
    if (word.startsWith('--id=')) return [word.slice(5)]
    const named = word === '--id' || /^\$\{?menuentry_id_option\}?$/.test(word)
    return named ? options.slice(index + 1, index + 2) : []
  })
  if (command === 'submenu') {
    const children = nodesOf(statement.block, variables)
    return { entry: { title, ids, kernel: undefined, initramfs: [], words: [] }, children }
  }
  const flat = flatten(statement.block)
  const own = new Map(variables)
  for (const { words } of flat) assign(words, own, variables)
  const words = (one: GrubStatement) =>
    one.words.flatMap((word) => expand(word, own).split(/\s+/)).filter((word) => word !== '')
  const runs = (commands: ReadonlySet<string>) =>
    flat.filter(({ words: [name = ''] }) => commands.has(expand(name, own)))
  const linux = runs(linuxCommands)[0]
  // Below XEN's own hypervisor the kernel and its initramfs are modules.
  const modules = runs(moduleCommands).map(words)
  const initrds = runs(initrdCommands).flatMap((one) => words(one).slice(1))
  const started = linux ? words(linux) : modules[0]?.filter((word) => !word.startsWith('--'))
  const moduleInitrd = modules[1]?.filter((word) => !word.startsWith('--')).slice(1, 2) ?? []
  return {
    entry: {
      title,
      ids,
      kernel: started?.[1],
      initramfs: linux ? initrds : moduleInitrd,
      words: started?.slice(2) ?? [],
    },
    children: undefined,
  }
}

function flatten(statements: readonly GrubStatement[]): GrubStatement[] {
  return statements.flatMap((one) => [one, ...flatten(one.block ?? [])])
}

function nodesOf(statements: readonly GrubStatement[], variables: ReadonlyMap<string, string>): Node[] {
  return statements.flatMap((one) => nodeOf(one, variables) ?? [])
}

/** Sets a variable. One that grubenv holds keeps its value: grub.cfg only states what to take without it. */
function assign(words: readonly string[], variables: Map<string, string>, kept: ReadonlyMap<string, string>): void {
  const text = words[0] === 'set' ? words[1] : words.length === 1 ? words[0] : undefined
  const match = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(text ?? '')
  if (match?.[1] === undefined || match[2] === undefined) return
  if (match[1] !== 'default' && !kept.has(match[1])) variables.set(match[1], expand(match[2], variables))
}

/** The value that default has in the end. Of branches the one that next_entry rules counts when grubenv has such an entry. */
function defaultOf(statements: readonly GrubStatement[], env: ReadonlyMap<string, string>): string {
  const values = statements.flatMap(({ words }) => {
    const match = /^default=([\s\S]*)$/.exec((words[0] === 'set' ? words[1] : words[0]) ?? '')
    return match?.[1] === undefined ? [] : [match[1]]
  })
  const once = env.get('next_entry')
  if (once !== undefined && once !== '' && values.some((value) => value.includes('next_entry'))) return once
  const meaning = values.map((value) => expand(value, env)).filter((value) => value !== '')
  return meaning.at(-1) ?? '0'
}

function pick(nodes: readonly Node[], path: string, depth = 0): BootEntry | undefined {
  const at = path.indexOf('>')
  const [own, rest] = at < 0 ? [path, '0'] : [path.slice(0, at), path.slice(at + 1)]
  const byName = nodes.find(({ entry }) => entry.title === own || entry.ids.includes(own))
  // GRUB starts the first entry when the default names none.
  const node = byName ?? (/^\d{1,4}$/.test(own) ? nodes[Number(own)] : undefined) ?? nodes[0]
  if (node?.children === undefined || depth > 16) return node?.entry
  return pick(node.children, rest, depth + 1)
}

function leaves(nodes: readonly Node[]): BootEntry[] {
  return nodes.flatMap(({ entry, children }) => (children ? leaves(children) : [entry]))
}

/** What boots by default according to a grub.cfg and its grubenv. Entries of the boot loader specification join where blscfg stands. */
export function readGrubCfg(
  text: string,
  env: ReadonlyMap<string, string>,
  specified: (variables: ReadonlyMap<string, string>) => readonly BootEntry[],
): DefaultBoot {
  const statements = parseGrubScript(text)
  const variables = new Map(env)
  for (const { words } of statements) assign(words, variables, env)
  const nodes = statements.flatMap((statement): Node[] => {
    if (statement.words[0] === 'blscfg') return specified(variables).map((entry) => ({ entry, children: undefined }))
    const node = nodeOf(statement, variables)
    return node ? [node] : []
  })
  return { entry: pick(nodes, defaultOf(statements, variables)), entries: leaves(nodes) }
}
