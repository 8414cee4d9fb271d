import type { GuestFiles } from '../guest.ts'
import { atMost, linesOf, readText } from './text.ts'

const maxStatusBytes = 64 * 1_048_576
const maxPackages = 20_000

/** One installed package, of whichever database. */
export interface Package {
  readonly name: string
  /** As the database gives it: with epoch and revision. */
  readonly version: string
}

/** A package of dpkg. */
export interface DpkgPackage extends Package {
  readonly architecture: string
  /** Paths of its configuration files. */
  readonly configuration: readonly string[]
}

/** The installed packages of a dpkg status file; removed ones that left their configuration are not installed. */
export function parseDpkgStatus(text: string): DpkgPackage[] {
  const packages: DpkgPackage[] = []
  for (const paragraph of atMost(maxPackages, 'packages of dpkg', text.split(/\n{2,}/, maxPackages + 1))) {
    const fields = new Map<string, string>()
    let last = ''
    for (const line of linesOf(paragraph)) {
      if (/^[ \t]/.test(line)) {
        if (last === 'Conffiles') fields.set(last, `${fields.get(last) ?? ''}\n${line.trim()}`)
        continue
      }
      const at = line.indexOf(':')
      last = line.slice(0, at)
      if (at > 0) fields.set(last, line.slice(at + 1).trim())
    }
    const [name, version] = [fields.get('Package'), fields.get('Version')]
    if (name === undefined || version === undefined || !/ installed$/.test(fields.get('Status') ?? '')) continue
    const configuration = linesOf(fields.get('Conffiles') ?? '').map((line) => line.split(' ', 1)[0] ?? '')
    const paths = configuration.filter((path) => path.startsWith('/'))
    packages.push({ name, version, architecture: fields.get('Architecture') ?? '', configuration: paths })
  }
  return packages
}

/** The packages that dpkg installed; undefined when the guest has no dpkg. */
export async function readDpkg(files: GuestFiles): Promise<DpkgPackage[] | undefined> {
  const text = await readText(files, '/var/lib/dpkg/status', maxStatusBytes)
  return text === undefined ? undefined : parseDpkgStatus(text)
}
