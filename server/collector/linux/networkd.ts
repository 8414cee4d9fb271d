import type { GuestFiles } from '../guest.ts'
import { type IniSection, iniSwitch, iniValue, iniValues, parseIni } from './ini.ts'
import { type Configured, ipv6Of, type Kind, kindOfName } from './interface.ts'
import { atMost, readText, wordsOf } from './text.ts'

/** The administrator's before the distribution's; a file hides those of its name behind it. */
const directories = ['/etc/systemd/network', '/usr/lib/systemd/network', '/lib/systemd/network']
const maxFiles = 256

/** One .network file, and whether the distribution shipped it as a catch-all. */
export interface NetworkFile {
  readonly interfaces: readonly Configured[]
  readonly catchAll: boolean
}

function dhcpOf(sections: readonly IniSection[]): boolean {
  const value = iniValue(sections, 'Network', 'DHCP')?.toLowerCase()
  return value === 'ipv4' || value === 'v4' || value === 'both' || iniSwitch(value) === true
}

/** Reads one .network file. One that matches no name but a type, a driver or nothing at all takes any interface. */
export function parseNetworkFile(file: string, text: string): NetworkFile {
  const sections = parseIni(text)
  const match = (key: string) => iniValues(sections, 'Match', key).flatMap(wordsOf)
  const names = match('Name')
  const addresses = [...iniValues(sections, 'Network', 'Address'), ...iniValues(sections, 'Address', 'Address')]
  const addresses6 = addresses.map(ipv6Of).filter((address) => address !== undefined)
  const dhcp = dhcpOf(sections)
  const useRoutes = ['DHCP', 'DHCPv4'].map((section) => iniSwitch(iniValue(sections, section, 'UseRoutes')))
  const gateways = [...iniValues(sections, 'Network', 'Gateway'), ...iniValues(sections, 'Route', 'Gateway')]
  const unmanaged = iniSwitch(iniValue(sections, 'Link', 'Unmanaged')) === true
  const activation = iniValue(sections, 'Link', 'ActivationPolicy')
  const inContainer = match('Virtualization').some((one) => one === 'container' || one === 'yes')
  const hardware = [...match('MACAddress'), ...match('PermanentMACAddress')]
  const label = file.replace(/\.network$/, '')
  const kindOf = (name: string): Kind => {
    const byName = kindOfName(name.replace(/[*?].*$/, ''))
    if (inContainer || byName === 'container') return 'container'
    return kindOfName(name)
  }
  const one = (name: string, kind: Kind): Configured => ({
    name,
    kind,
    up: !inContainer && !unmanaged && (activation === undefined || activation === 'up' || activation === 'always-up'),
    ipv4: dhcp ? 'dhcp' : addresses.length > addresses6.length ? 'static' : 'none',
    carrier: 'systemd-networkd',
    route:
      (dhcp && !useRoutes.includes(false)) ||
      gateways.some((gateway) => !gateway.includes(':') || gateway === '_dhcp4'),
    addresses6,
  })
  const anyName = names.length === 0 || names.includes('*')
  const positive = names.filter((name) => !name.startsWith('!'))
  if (!anyName && positive.length > 0)
    return { interfaces: positive.map((name) => one(name, kindOf(name))), catchAll: false }
  if (hardware.length > 0) return { interfaces: [one(label, 'physical')], catchAll: false }
  const narrowed = match('Type').some((type) => type !== 'ether') || inContainer
  return { interfaces: [one(label, inContainer ? 'container' : 'template')], catchAll: !narrowed && dhcp && !unmanaged }
}

/** The interfaces of systemd-networkd's files, and whether one that the distribution ships brings up any other by DHCP. */
export async function readNetworkd(files: GuestFiles): Promise<{ interfaces: Configured[]; shippedCatchAll: boolean }> {
  const lists = await Promise.all(directories.map((directory) => files.list(directory)))
  const paths = new Map<string, string>()
  for (const [index, directory] of directories.entries()) {
    for (const { name } of lists[index] ?? []) {
      if (name.endsWith('.network') && !paths.has(name)) paths.set(name, `${directory}/${name}`)
    }
  }
  const ordered = [...paths].sort(([a], [b]) => (a < b ? -1 : 1))
  const read = await Promise.all(
    atMost(maxFiles, 'files of systemd-networkd', ordered).map(async ([name, path]) => {
      const text = (await readText(files, path)) ?? ''
      const shipped = !path.startsWith('/etc/')
      return text.trim() === '' ? [] : [{ shipped, ...parseNetworkFile(name, text) }]
    }),
  )
  const found = read.flat()
  const shippedCatchAll = found.some(({ shipped, catchAll }) => shipped && catchAll)
  return {
    interfaces: found.filter(({ shipped, catchAll }) => !(shipped && catchAll)).flatMap(({ interfaces }) => interfaces),
    shippedCatchAll,
  }
}
