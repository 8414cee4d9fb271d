import type { GuestEntry, GuestFiles } from '../guest.ts'
import { atMost, contentLines, fits, readText, wordsOf } from './text.ts'

/** Where units stand, the first one of a name counting. */
export const unitDirectories = [
  '/etc/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
]
const presetDirectories = ['/etc/systemd/system-preset', '/usr/lib/systemd/system-preset', '/lib/systemd/system-preset']

/** Targets that a normal boot does not reach. */
const otherTargets =
  /^(rescue|emergency|shutdown|reboot|halt|poweroff|kexec|suspend|hibernate|hybrid-sleep|sleep|initrd[a-z-]*|factory-reset|system-update[a-z-]*|ctrl-alt-del|final|exit)\.target$/
const maxDirectories = 512
const maxDropIns = 64
const maxPresets = 128

interface Unit {
  readonly path: string
  readonly kind: GuestEntry['kind']
}

/** The units of a guest, and what wants them. */
export class Systemd {
  readonly #files: GuestFiles
  readonly #units: ReadonlyMap<string, Unit>
  readonly #wantedBy: ReadonlyMap<string, ReadonlySet<string>>
  readonly #presets: readonly string[] | undefined

  private constructor(
    files: GuestFiles,
    units: ReadonlyMap<string, Unit>,
    wantedBy: ReadonlyMap<string, ReadonlySet<string>>,
    presets: readonly string[] | undefined,
  ) {
    this.#files = files
    this.#units = units
    this.#wantedBy = wantedBy
    this.#presets = presets
  }

  /** Reads the directories of units, and the presets when the next boot will be the first one. */
  static async read(files: GuestFiles): Promise<Systemd> {
    const lists = await Promise.all(unitDirectories.map((directory) => files.list(directory)))
    const units = new Map<string, Unit>()
    const dependencies: (readonly [unit: string, directory: string])[] = []
    for (const [index, directory] of unitDirectories.entries()) {
      for (const { name, kind } of lists[index] ?? []) {
        const path = `${directory}/${name}`
        const target = /^(.+)\.(wants|requires)$/.exec(name)?.[1]
        if (target !== undefined) dependencies.push([target, path])
        else if (!units.has(name)) units.set(name, { path, kind })
      }
    }
    const wanted = await Promise.all(
      atMost(maxDirectories, 'directories of dependencies of units', dependencies).map(
        async ([target, path]) => [target, (await files.list(path)) ?? []] as const,
      ),
    )
    const wantedBy = new Map<string, Set<string>>()
    for (const [target, entries] of wanted) {
      for (const { name } of entries) wantedBy.set(name, (wantedBy.get(name) ?? new Set()).add(target))
    }
    return new Systemd(files, units, wantedBy, await firstBootPresets(files))
  }

  /** The unit's file, the administrator's before the distribution's; undefined when there is none. */
  path(unit: string): string | undefined {
    return this.#units.get(unit)?.path
  }

  /** Installed, whether or not it is masked. */
  has(unit: string): boolean {
    return this.#units.has(unit)
  }

  /** Masked: its file is a link to /dev/null, or empty. */
  async masked(unit: string): Promise<boolean> {
    const found = this.#units.get(unit)
    if (found === undefined) return false
    const stat = await this.#files.stat(found.path)
    if (stat?.kind === 'link') return stat.target === '/dev/null' || stat.target === '../../../dev/null'
    return stat?.kind === 'file' && stat.sizeBytes === 0
  }

  /** Other names of a unit: links to it. */
  async #aliases(unit: string): Promise<string[]> {
    const links = [...this.#units].filter(
      ([name, { kind }]) => kind === 'link' && name !== unit && this.#wantedBy.has(name),
    )
    const targets = await Promise.all(
      links.map(async ([name, { path }]) => [name, await this.#files.stat(path)] as const),
    )
    return targets.filter(([, stat]) => stat?.target?.split('/').at(-1) === unit).map(([name]) => name)
  }

  /** Whether the unit starts at the next boot: something that a boot reaches wants it, and it is not masked. */
  async startsAtBoot(unit: string, seen: Set<string> = new Set()): Promise<boolean> {
    if (seen.has(unit) || !this.has(unit) || (await this.masked(unit))) return false
    seen.add(unit)
    const names = [unit, ...(await this.#aliases(unit))]
    const wanters = names.flatMap((name) => [...(this.#wantedBy.get(name) ?? [])])
    if (wanters.some((one) => one.endsWith('.target') && !otherTargets.test(one))) return true
    const services = wanters.filter((one) => !one.endsWith('.target') && one !== unit)
    for (const service of services) if (await this.startsAtBoot(service, seen)) return true
    return this.#presetEnables(unit)
  }

  async #presetEnables(unit: string): Promise<boolean> {
    if (this.#presets === undefined) return false
    const text = (await readText(this.#files, this.path(unit) ?? '')) ?? ''
    if (!/^[ \t]*(WantedBy|RequiredBy)[ \t]*=/m.test(text)) return false
    for (const line of this.#presets) {
      const [verb, pattern] = wordsOf(line)
      if (pattern !== undefined && fits(pattern, unit)) return verb === 'enable'
    }
    return true
  }

  /** The unit's text and those of its drop-ins, in the order in which they apply. */
  async texts(unit: string): Promise<string[]> {
    const path = this.path(unit)
    const own = path === undefined ? undefined : await readText(this.#files, path)
    const lists = await Promise.all(unitDirectories.map((directory) => this.#files.list(`${directory}/${unit}.d`)))
    const dropIns = new Map<string, string>()
    for (const [index, directory] of unitDirectories.entries()) {
      for (const { name } of lists[index] ?? []) {
        if (name.endsWith('.conf') && !dropIns.has(name)) dropIns.set(name, `${directory}/${unit}.d/${name}`)
      }
    }
    const ordered = [...dropIns].sort(([a], [b]) => (a < b ? -1 : 1))
    const texts = await Promise.all(
      atMost(maxDropIns, 'drop-ins of a unit', ordered).map(([, file]) => readText(this.#files, file)),
    )
    return [own, ...texts].filter((text) => text !== undefined)
  }
}

/** The lines of the presets that systemd applies at a first boot, which it knows by the missing machine-id. */
async function firstBootPresets(files: GuestFiles): Promise<string[] | undefined> {
  const id = await readText(files, '/etc/machine-id')
  if (id !== undefined && id.trim() !== 'uninitialized') return undefined
  const lists = await Promise.all(presetDirectories.map((directory) => files.list(directory)))
  const paths = new Map<string, string>()
  for (const [index, directory] of presetDirectories.entries()) {
    for (const { name } of lists[index] ?? []) {
      if (name.endsWith('.preset') && !paths.has(name)) paths.set(name, `${directory}/${name}`)
    }
  }
  const ordered = [...paths].sort(([a], [b]) => (a < b ? -1 : 1))
  const texts = await Promise.all(
    atMost(maxPresets, 'files of presets', ordered).map(([, path]) => readText(files, path)),
  )
  return texts.flatMap((text) => contentLines(text ?? '', '#;'))
}
