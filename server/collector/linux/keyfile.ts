import type { GuestFiles } from '../guest.ts'
import { type IniSection, iniSwitch, iniValue, parseIni } from './ini.ts'
import { type Configured, ipv6Of, type Kind, kindOfName } from './interface.ts'
import { atMost, readText } from './text.ts'

const directories = ['/etc/NetworkManager/system-connections', '/usr/lib/NetworkManager/system-connections']
const maxFiles = 256

const kindsOfType: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['ethernet', 'physical'],
  ['802-3-ethernet', 'physical'],
  ['wifi', 'physical'],
  ['802-11-wireless', 'physical'],
  ['infiniband', 'physical'],
  ['bridge', 'bridge'],
  ['bond', 'bond'],
  ['team', 'bond'],
  ['vlan', 'vlan'],
  ['loopback', 'loopback'],
])

/** One connection of NetworkManager. One that is bound to no interface takes any of its type: a template. */
export function parseKeyfile(file: string, text: string): Configured | undefined {
  const sections: readonly IniSection[] = parseIni(text)
  const value = (section: string, key: string) => iniValue(sections, section, key)
  const type = value('connection', 'type')
  if (type === undefined) return undefined
  const hardware = value('ethernet', 'mac-address') ?? value('802-3-ethernet', 'mac-address')
  const bound = value('connection', 'interface-name') ?? value(type, 'interface-name')
  const kind = kindsOfType.get(type) ?? 'tunnel'
  const anyInterface = kind === 'physical' && bound === undefined && hardware === undefined
  const name = bound ?? value('connection', 'id') ?? file.replace(/\.nmconnection$/, '')
  const method = value('ipv4', 'method') ?? 'auto'
  const ipv4 = method === 'auto' ? 'dhcp' : method === 'manual' || method === 'shared' ? 'static' : 'none'
  const entries = sections.filter((section) => section.name === 'ipv6').flatMap((section) => section.entries)
  // Behind a comma stands the gateway; several addresses are parted by semicolons.
  const addresses6 = entries
    .filter(([key]) => /^address(es)?\d{0,3}$/.test(key))
    .flatMap(([, list]) => list.split(';').map((one) => ipv6Of(one.split(',')[0] ?? '')))
  const gateway = sections.some(
    (section) =>
      section.name === 'ipv4' &&
      section.entries.some(([key, text]) => key === 'gateway' || (/^address\d{0,3}$/.test(key) && text.includes(','))),
  )
  const never = iniSwitch(value('ipv4', 'never-default')) === true
  return {
    name,
    kind: anyInterface ? 'template' : kind === 'physical' ? kindOfName(name) : kind,
    up: iniSwitch(value('connection', 'autoconnect')) ?? true,
    ipv4,
    carrier: 'network-manager',
    route: !never && (ipv4 === 'dhcp' || (method === 'manual' && gateway)),
    addresses6: addresses6.filter((address) => address !== undefined),
  }
}

/** The connections of NetworkManager's own files. */
export async function readKeyfiles(files: GuestFiles): Promise<Configured[]> {
  const lists = await Promise.all(directories.map((directory) => files.list(directory)))
  const paths = lists.flatMap((list, index) =>
    (list ?? []).map(({ name }) => ({ name, path: `${directories[index] ?? ''}/${name}` })),
  )
  // The administrator's before the distribution's.
  const distinct = [...new Map(paths.toReversed().map((one) => [one.name, one])).values()].reverse()
  const own = distinct.filter(({ name }) => !name.startsWith('.') && !name.endsWith('~'))
  const wanted = atMost(maxFiles, 'connections of NetworkManager', own)
  const read = await Promise.all(
    wanted.map(async ({ name, path }) => {
      const text = await readText(files, path)
      return text === undefined ? undefined : parseKeyfile(name, text)
    }),
  )
  return read.filter((one) => one !== undefined)
}

/** Whether NetworkManager makes a connection for an interface that none is written for: unless no-auto-default bars all. */
export async function connectsByItself(files: GuestFiles): Promise<boolean> {
  const places = ['/usr/lib/NetworkManager/conf.d', '/etc/NetworkManager/conf.d']
  const lists = await Promise.all(places.map((place) => files.list(place)))
  const names = lists.flatMap((list, index) => (list ?? []).map(({ name }) => `${places[index] ?? ''}/${name}`))
  const paths = ['/etc/NetworkManager/NetworkManager.conf', ...names.filter((name) => name.endsWith('.conf')).sort()]
  const texts = await Promise.all(
    atMost(maxFiles, 'settings of NetworkManager', paths).map((path) => readText(files, path)),
  )
  const values = texts.map((text) => iniValue(parseIni(text ?? ''), 'main', 'no-auto-default'))
  return values.findLast((value) => value !== undefined) !== '*'
}
