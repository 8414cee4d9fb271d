import type { BootEntry, DefaultBoot } from './boot-entry.ts'
import { type GrubStatement, parseGrubScript } from './grub-script.ts'
import { GrubVariables } from './grub-variables.ts'
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

interface Node {
  readonly entry: BootEntry
  readonly children: readonly Node[] | undefined
}

const linuxCommands = new Set(['linux', 'linux16', 'linuxefi'])
const moduleCommands = new Set(['module', 'module2'])
const initrdCommands = new Set(['initrd', 'initrd16', 'initrdefi'])

function nodeOf(statement: GrubStatement, variables: GrubVariables): Node | undefined {
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
  const own = new GrubVariables(variables)
  for (const { words } of flat) own.assign(words)
  const words = (one: GrubStatement) =>
    one.words.flatMap((word) => own.expand(word).split(/\s+/)).filter((word) => word !== '')
  const runs = (commands: ReadonlySet<string>) =>
    flat.filter(({ words: [name = ''] }) => commands.has(own.expand(name)))
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

function nodesOf(statements: readonly GrubStatement[], variables: GrubVariables): Node[] {
  return statements.flatMap((one) => nodeOf(one, variables) ?? [])
}

/** The value that default has in the end. Of branches the one that next_entry rules counts when grubenv has such an entry. */
function defaultOf(statements: readonly GrubStatement[], variables: GrubVariables): string {
  const values = statements.flatMap(({ words }) => {
    const match = /^default=([\s\S]*)$/.exec((words[0] === 'set' ? words[1] : words[0]) ?? '')
    return match?.[1] === undefined ? [] : [match[1]]
  })
  const once = variables.get('next_entry')
  if (once !== undefined && once !== '' && values.some((value) => value.includes('next_entry'))) return once
  const meaning = values.map((value) => variables.expand(value)).filter((value) => value !== '')
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
  specified: (variables: GrubVariables) => readonly BootEntry[],
): DefaultBoot {
  const statements = parseGrubScript(text)
  const variables = new GrubVariables(env)
  for (const { words } of statements) variables.assign(words, env)
  // GRUB takes an entry once, however often it is told to.
  const first = statements.find(({ words }) => words[0] === 'blscfg')
  const nodes = statements.flatMap((statement): Node[] => {
    if (statement === first) return specified(variables).map((entry) => ({ entry, children: undefined }))
    const node = nodeOf(statement, variables)
    return node ? [node] : []
  })
  return { entry: pick(nodes, defaultOf(statements, variables)), entries: leaves(nodes) }
}
