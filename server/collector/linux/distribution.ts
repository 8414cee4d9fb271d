import { assignments, linesOf, shown, stated } from './text.ts'

/** What a release file says of the distribution. */
export interface Distribution {
  readonly id: string
  readonly version?: string
  readonly name?: string
}

/** A release in the schema's form: decimal integers without leading zeros; undefined when the text holds none. */
export function versionIn(text: string | undefined): string | undefined {
  const match = /\d{1,9}(?:\.\d{1,9}){0,5}/.exec(text ?? '')
  return match?.[0].split('.').map(Number).join('.')
}

/** A release that is nothing but numbers. */
function wholeVersion(text: string | undefined): string | undefined {
  const trimmed = text?.trim() ?? ''
  return /^\d{1,9}(\.\d{1,9}){0,5}$/.test(trimmed) ? versionIn(trimmed) : undefined
}

/** A finer release of the same major. */
function finer(coarse: string | undefined, fine: string | undefined): string | undefined {
  if (coarse === undefined || fine === undefined) return coarse
  return fine.split('.')[0] === coarse.split('.')[0] && fine.length > coarse.length ? fine : coarse
}

/** Identifiers that are one product of SUSE's; SLES for HPC is a product of its own. */
const suse = new Set(['sles', 'sled', 'sles_sap', 'sle_sap', 'sled_sap'])

function normalised(id: string, fields: ReadonlyMap<string, string>, centosRelease: string | undefined): string {
  const name = `${fields.get('NAME') ?? ''} ${fields.get('PRETTY_NAME') ?? ''}`
  if (suse.has(id)) return 'sles'
  if (id === 'opensuse' || id.startsWith('opensuse-')) {
    if (id === 'opensuse-tumbleweed' || /tumbleweed/i.test(name)) return 'opensuse-tumbleweed'
    return id === 'opensuse' || id === 'opensuse-leap' ? 'opensuse' : id
  }
  if (id === 'centos' && /stream/i.test(`${name} ${centosRelease ?? ''}`)) return 'centos-stream'
  if (id === 'fedora' && fields.get('VARIANT_ID') === 'coreos') return 'fedora-coreos'
  if (id === 'redhat') return 'rhel'
  return id
}

/** Reads os-release. What the other files add is a finer release: Debian's and CentOS's stand in files of their own. */
export function fromOsRelease(text: string, debianVersion?: string, centosRelease?: string): Distribution | undefined {
  const fields = assignments(text)
  const written = fields.get('ID')?.toLowerCase() ?? ''
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(written)) return undefined
  const id = normalised(written, fields, centosRelease)
  const coarse = wholeVersion(fields.get('VERSION_ID'))
  const fine =
    id === 'debian' ? wholeVersion(debianVersion) : id.startsWith('centos') ? versionIn(centosRelease) : undefined
  return stated({ id, version: finer(coarse, fine), name: shown(fields.get('PRETTY_NAME') ?? fields.get('NAME'), 255) })
}

const redHatKin: readonly (readonly [pattern: RegExp, id: string])[] = [
  [/^centos stream/i, 'centos-stream'],
  [/^centos/i, 'centos'],
  [/^red hat/i, 'rhel'],
  [/^oracle|^enterprise linux/i, 'ol'],
  [/^scientific/i, 'scientific'],
  [/^fedora/i, 'fedora'],
  [/^alibaba cloud/i, 'alinux'],
  [/^aliyun/i, 'aliyun'],
  [/^rocky/i, 'rocky'],
  [/^alma/i, 'almalinux'],
  [/^amazon/i, 'amzn'],
]

/** Reads /etc/redhat-release and its kin: one line that names the product and its release. */
export function fromRedHatRelease(text: string): Distribution | undefined {
  const line = linesOf(text)[0]?.trim() ?? ''
  const id = redHatKin.find(([pattern]) => pattern.test(line))?.[1]
  if (id === undefined) return undefined
  return stated({ id, version: versionIn(/release\s+(\S{1,64})/i.exec(line)?.[1]), name: shown(line, 255) })
}

/** Reads /etc/SuSE-release: the product, then VERSION and, for SUSE Linux Enterprise, PATCHLEVEL. */
export function fromSuseRelease(text: string): Distribution | undefined {
  const line = linesOf(text)[0]?.trim() ?? ''
  const id = /^suse linux enterprise/i.test(line) ? 'sles' : /^opensuse/i.test(line) ? 'opensuse' : undefined
  if (id === undefined) return /^suse/i.test(line) ? { id: 'suse' } : undefined
  const value = (name: string) => wholeVersion(new RegExp(`^${name}\\s*=\\s*([0-9.]{1,32})\\s*$`, 'm').exec(text)?.[1])
  const [major, patch] = [value('VERSION'), value('PATCHLEVEL')]
  const version = major !== undefined && patch !== undefined && patch !== '0' ? `${major}.${patch}` : major
  const tumbleweed = /tumbleweed/i.test(line)
  return stated({ id: tumbleweed ? 'opensuse-tumbleweed' : id, version, name: shown(line, 255) })
}

/** Reads /etc/lsb-release. */
export function fromLsbRelease(text: string): Distribution | undefined {
  const fields = assignments(text)
  const id = fields.get('DISTRIB_ID')?.toLowerCase() ?? ''
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(id)) return undefined
  const version = wholeVersion(fields.get('DISTRIB_RELEASE'))
  return stated({ id, version, name: shown(fields.get('DISTRIB_DESCRIPTION'), 255) })
}

/** Reads /etc/debian_version, which holds a number, or names of releases to come. */
export function fromDebianVersion(text: string): Distribution | undefined {
  const trimmed = text.trim()
  if (!/^(\d+(\.\d+)*|[a-z]+\/sid)$/.test(trimmed)) return undefined
  const version = wholeVersion(trimmed)
  return stated({ id: 'debian', version, name: `Debian ${trimmed}`.slice(0, 255) })
}

/** Reads the script freebsd-version, in which the release of the userland is written. */
export function fromFreebsdVersion(text: string): Distribution | undefined {
  const release = /^USERLAND_VERSION="?([0-9A-Za-z.-]{1,64})"?\s*$/m.exec(text)?.[1]
  if (release === undefined) return undefined
  return stated({ id: 'freebsd', version: versionIn(release), name: shown(`FreeBSD ${release}`, 255) })
}
