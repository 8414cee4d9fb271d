import { coreosMounts, coreosSubstitutes } from './coreos.ts'
import { type FstabLine, parseFstab } from './fstab.ts'
import { iniValue, parseIni } from './ini.ts'
import type { LinuxInput } from './input.ts'
import { findRoot, mountsOf } from './mount-tree.ts'
import { resolver } from './resolve.ts'
import type { Layout } from './roles.ts'
import { RoutedFiles } from './routed-files.ts'
import { atMost, readText } from './text.ts'

/** The installed system: its files, and where its volumes are mounted. */
export interface Installed {
  readonly files: RoutedFiles
  readonly layout: Layout
  /** The lines of /etc/fstab; undefined when there is none. */
  readonly fstab: readonly FstabLine[] | undefined
}

const unitDirectory = '/etc/systemd/system'
const maxUnits = 64
const maxWants = 512

/** The mounts that units of the administrator state, as the fstab lines that would do the same. */
async function unitLines(files: RoutedFiles): Promise<FstabLine[]> {
  const entries = (await files.list(unitDirectory)) ?? []
  const names = entries.map(({ name }) => name).filter((name) => name.endsWith('.mount'))
  if (names.length === 0) return []
  const wants = entries.filter(({ name }) => /\.(wants|requires)$/.test(name))
  const wanted = await Promise.all(
    atMost(maxWants, 'directories of dependencies of units', wants).map(({ name }) =>
      files.list(`${unitDirectory}/${name}`),
    ),
  )
  const started = new Set(wanted.flatMap((list) => list ?? []).map(({ name }) => name))
  const lines = await Promise.all(
    atMost(maxUnits, 'units of mounts', names).map(async (name) => {
      const sections = parseIni((await readText(files, `${unitDirectory}/${name}`)) ?? '')
      const [what, where, type = 'auto', options = 'defaults'] = ['What', 'Where', 'Type', 'Options'].map((key) =>
        iniValue(sections, 'Mount', key),
      )
      if (what === undefined || where === undefined) return []
      const blank = (field: string) => field.replaceAll(' ', '\\040')
      const auto = started.has(name) ? options : `${options},noauto`
      return parseFstab([what, where, type, auto].map(blank).join(' '))
    }),
  )
  return lines.flat()
}

/** True when every line that is mounted at boot could be told to be a volume, or to be none. */
function allTold(input: LinuxInput, lines: readonly FstabLine[]): boolean {
  const { exists } = resolver(input, lines)
  const told = (line: FstabLine) =>
    ['network', 'pseudo', 'removable', 'file-path'].includes(line.kind) ||
    line.type === 'swap' ||
    exists(line) !== undefined
  return lines.every((line) => told(line))
}

/** Finds the installed system; what kept volumes from being read when none of them holds one. */
export async function findInstalled(input: LinuxInput): Promise<Installed | { readonly failures: readonly unknown[] }> {
  const [coreos, { root, failures }] = await Promise.all([coreosMounts(input), findRoot(input)])
  if (coreos) {
    const layout: Layout = { mounts: coreos, coreos: true, freebsd: false, mountsKnown: true }
    const files = new RoutedFiles(coreos, coreosSubstitutes)
    const text = await readText(files, '/etc/fstab').catch(() => undefined)
    return { files, layout, fstab: text === undefined ? undefined : parseFstab(text) }
  }
  if (root === undefined) return { failures }
  const plain = new RoutedFiles(mountsOf(input, root))
  const [units, freebsd] = await Promise.all([
    unitLines(plain).catch(() => undefined),
    plain.stat('/bin/freebsd-version').catch(() => undefined),
  ])
  const lines = [...(root.lines ?? []), ...(units ?? [])]
  const mounts = mountsOf(input, { ...root, lines })
  const mountsKnown = root.lines !== undefined && units !== undefined && allTold(input, lines)
  const layout: Layout = { mounts, coreos: false, freebsd: freebsd !== undefined, mountsKnown }
  return { files: units?.length ? new RoutedFiles(mounts) : plain, layout, fstab: root.lines }
}
