import type { GuestFiles } from '../guest.ts'
import { type Carrier, type Configured, ipv6Of, type Kind, kindOfName } from './interface.ts'
import { atMost, readText } from './text.ts'
import { mergeYaml, parseYaml, yamlEntries, yamlList, yamlMember, yamlText } from './yaml.ts'

/** Lowest first: a file hides those of its name before it. */
const directories = ['/lib/netplan', '/usr/lib/netplan', '/etc/netplan']
const maxFiles = 128

const sections: readonly (readonly [section: string, kind: Kind | undefined])[] = [
  ['ethernets', undefined],
  ['wifis', undefined],
  ['modems', 'tunnel'],
  ['bonds', 'bond'],
  ['bridges', 'bridge'],
  ['vlans', 'vlan'],
  ['tunnels', 'tunnel'],
  ['dummy-devices', 'tunnel'],
]

const on = (value: unknown) => value === true || /^(true|yes|on)$/i.test(yamlText(value) ?? '')

/** Whether addresses or routes of a definition lead everywhere by IPv4. */
function hasGateway(definition: unknown): boolean {
  if (yamlMember(definition, 'gateway4') !== undefined) return true
  const targets = yamlList(yamlMember(definition, 'routes')).map((route) => yamlText(yamlMember(route, 'to')))
  return targets.some((target) => target === 'default' || target === '0.0.0.0/0' || target === '0/0')
}

function addressesOf(definition: unknown): string[] {
  return yamlList(yamlMember(definition, 'addresses')).flatMap((one) => {
    const text = yamlText(one) ?? yamlEntries(one)[0]?.[0]
    return text === undefined ? [] : [text]
  })
}

/** The name under which a definition's interface goes, and whether it may be any of several. */
function nameOf(id: string, definition: unknown): { name: string; template: boolean } {
  const match = yamlMember(definition, 'match')
  const byName = yamlText(yamlMember(match, 'name'))
  const renamed = yamlText(yamlMember(definition, 'set-name'))
  const name = renamed ?? byName ?? id
  const one = match === undefined || yamlMember(match, 'macaddress') !== undefined || renamed !== undefined
  return { name, template: /[*?[\]]/.test(name) || (!one && byName === undefined) }
}

/** The interfaces of a netplan document, or of cloud-init's version 2, which is the same language. */
export function netplanInterfaces(network: unknown, carrier: Carrier): Configured[] {
  return sections.flatMap(([section, fixedKind]) =>
    yamlEntries(yamlMember(network, section)).flatMap(([id, definition]): Configured[] => {
      if (id === 'renderer') return []
      const { name, template } = nameOf(id, definition)
      const kind = template ? 'template' : (fixedKind ?? kindOfName(name))
      const addresses = addressesOf(definition)
      const addresses6 = addresses.map(ipv6Of).filter((address) => address !== undefined)
      const dhcp = on(yamlMember(definition, 'dhcp4'))
      const manual = yamlText(yamlMember(definition, 'activation-mode')) !== undefined
      const kept = yamlMember(definition, 'dhcp4-overrides', 'use-routes') === false
      return [
        {
          name,
          kind,
          up: !manual,
          ipv4: dhcp ? 'dhcp' : addresses.length > addresses6.length ? 'static' : 'none',
          carrier,
          route: (dhcp && !kept) || hasGateway(definition),
          addresses6,
        },
      ]
    }),
  )
}

/** The interfaces of netplan's files, merged by the order of their names as netplan does. */
export async function readNetplan(files: GuestFiles): Promise<Configured[]> {
  const lists = await Promise.all(directories.map((directory) => files.list(directory)))
  const paths = new Map<string, string>()
  for (const [index, directory] of directories.entries()) {
    for (const { name } of lists[index] ?? []) if (name.endsWith('.yaml')) paths.set(name, `${directory}/${name}`)
  }
  const ordered = [...paths].sort(([a], [b]) => (a < b ? -1 : 1))
  const texts = await Promise.all(
    atMost(maxFiles, 'files of netplan', ordered).map(([, path]) => readText(files, path)),
  )
  let merged: unknown
  for (const text of texts) if (text !== undefined) merged = mergeYaml(merged, parseYaml(text))
  return netplanInterfaces(yamlMember(merged, 'network'), 'netplan')
}
