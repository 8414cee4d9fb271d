import type { GuestFiles } from '../guest.ts'
import { type Configured, ipv6Of, type Kind, kindOfName } from './interface.ts'
import { assignments, atMost, contentLines, readText, wordsOf } from './text.ts'

const directory = '/etc/sysconfig/network-scripts'
const maxFiles = 256
const leftovers = /(~|\.(bak|orig|old|rpmnew|rpmorig|rpmsave|swp|save|disabled))$/

const yes = (value: string | undefined) => /^(yes|y|true|t|1|on)$/i.test(value ?? '')
const no = (value: string | undefined) => /^(no|n|false|f|0|off)$/i.test(value ?? '')

function kindOf(name: string, fields: ReadonlyMap<string, string>): Kind {
  const type = fields.get('TYPE')?.toLowerCase() ?? ''
  if (type === 'bridge' || type === 'ovsbridge') return name.startsWith('virbr') ? 'container' : 'bridge'
  if (type === 'bond' || fields.has('BONDING_OPTS') || yes(fields.get('BONDING_MASTER'))) return 'bond'
  if (/^team/i.test(fields.get('DEVICETYPE') ?? '') && !fields.has('TEAM_MASTER')) return 'bond'
  if (type === 'vlan' || yes(fields.get('VLAN'))) return 'vlan'
  if (['gre', 'sit', 'ipip', 'tap', 'tun', 'wireguard'].includes(type)) return 'tunnel'
  return kindOfName(name)
}

/** One ifcfg file in Red Hat's form. */
export function parseIfcfg(file: string, text: string): Configured {
  const fields = assignments(text)
  const name = fields.get('DEVICE') || file.replace(/^ifcfg-/, '')
  const value = (key: string) => fields.get(key) ?? ''
  const protocol = value('BOOTPROTO').toLowerCase()
  const dhcp = protocol === 'dhcp' || protocol === 'bootp'
  const fixed = [...fields.keys()].some((key) => /^IPADDR\d{0,3}$/.test(key) && value(key) !== '')
  const secondaries = wordsOf(value('IPV6ADDR_SECONDARIES'))
  const addresses6 = [value('IPV6ADDR'), ...secondaries].map(ipv6Of).filter((address) => address !== undefined)
  const gateway = [...fields.keys()].some((key) => /^GATEWAY\d{0,3}$/.test(key) && value(key) !== '')
  return {
    name,
    kind: kindOf(name, fields),
    // Without the line, the network service brings an interface up and NetworkManager connects it.
    up: !no(fields.get('ONBOOT')),
    ipv4: dhcp ? 'dhcp' : fixed ? 'static' : 'none',
    carrier: 'ifcfg',
    route: !no(fields.get('DEFROUTE')) && (dhcp || gateway),
    addresses6: no(fields.get('IPV6INIT')) ? [] : addresses6,
  }
}

/** The interfaces of Red Hat's ifcfg files; aliases belong to their interface. */
export async function readIfcfg(files: GuestFiles): Promise<Configured[]> {
  const [entries, network] = await Promise.all([files.list(directory), readText(files, '/etc/sysconfig/network')])
  const all = (entries ?? []).map(({ name }) => name)
  const own = all.filter((name) => /^ifcfg-[^:]+$/.test(name) && !leftovers.test(name))
  const names = atMost(maxFiles, 'files of interfaces', own)
  const read = await Promise.all(
    names.map(async (name) => {
      const text = await readText(files, `${directory}/${name}`)
      return text === undefined ? undefined : parseIfcfg(name, text)
    }),
  )
  const found = read.filter((one) => one !== undefined)
  const common = assignments(network ?? '')
  const device = common.get('GATEWAYDEV')
  // A gateway for all goes to the device that is named, else to the only static interface.
  const fixed = found.filter(({ ipv4, up }) => ipv4 === 'static' && up)
  if (!common.has('GATEWAY')) return found
  return found.map((one) =>
    one.name === device || (device === undefined && fixed.length === 1 && one === fixed[0])
      ? { ...one, route: true }
      : one,
  )
}

const suseDirectory = '/etc/sysconfig/network'

/** One ifcfg file in SUSE's form. */
export function parseSuseIfcfg(file: string, text: string, carrier: 'ifcfg' | 'wicked'): Configured {
  const fields = assignments(text)
  const name = file.replace(/^ifcfg-/, '')
  const value = (key: string) => fields.get(key) ?? ''
  const mode = value('STARTMODE').toLowerCase()
  const protocols = value('BOOTPROTO').toLowerCase().split('+')
  const dhcp = protocols.includes('dhcp') || protocols.includes('dhcp4')
  const addresses = [...fields.keys()].filter((key) => key.startsWith('IPADDR')).map(value)
  const addresses6 = addresses.map(ipv6Of).filter((address) => address !== undefined)
  const fixed = addresses.some((address) => address !== '' && address !== '0.0.0.0' && ipv6Of(address) === undefined)
  const byField: Kind | undefined = yes(fields.get('BRIDGE'))
    ? 'bridge'
    : yes(fields.get('BONDING_MASTER'))
      ? 'bond'
      : fields.has('ETHERDEVICE')
        ? 'vlan'
        : fields.has('TUNNEL')
          ? 'tunnel'
          : undefined
  return {
    name,
    kind: byField ?? kindOfName(name),
    up: ['auto', 'boot', 'onboot', 'on', 'nfsroot', 'hotplug', 'ifplugd'].includes(mode),
    ipv4: dhcp ? 'dhcp' : fixed ? 'static' : 'none',
    carrier,
    route: dhcp,
    addresses6,
  }
}

/** The interfaces that a routes file sends the default route through; one without a device speaks of the only static one. */
function defaultDevices(text: string | undefined): string[] {
  return contentLines(text ?? '')
    .map(wordsOf)
    .filter(([destination]) => destination === 'default' || destination === '0.0.0.0/0')
    .map(([, , , device]) => device ?? '-')
}

/** The interfaces of SUSE's ifcfg files, which wicked or the older scripts read. */
export async function readSuseIfcfg(files: GuestFiles, carrier: 'ifcfg' | 'wicked'): Promise<Configured[]> {
  const [entries, routes] = await Promise.all([files.list(suseDirectory), readText(files, `${suseDirectory}/routes`)])
  const all = (entries ?? []).map(({ name }) => name)
  const own = all.filter((name) => /^ifcfg-[^:]+$/.test(name) && name !== 'ifcfg-template' && !leftovers.test(name))
  const names = atMost(maxFiles, 'files of interfaces', own)
  const read = await Promise.all(
    names.map(async (name) => {
      const [text, own] = await Promise.all([
        readText(files, `${suseDirectory}/${name}`),
        readText(files, `${suseDirectory}/${name.replace('ifcfg-', 'ifroute-')}`),
      ])
      return text === undefined ? undefined : { one: parseSuseIfcfg(name, text, carrier), own }
    }),
  )
  const found = read.filter((entry) => entry !== undefined)
  const fixed = found.filter(({ one }) => one.ipv4 === 'static' && one.up)
  const devices = defaultDevices(routes).map((device) =>
    device === '-' && fixed.length === 1 ? fixed[0]?.one.name : device,
  )
  return found.map(({ one, own }) => {
    return { ...one, route: one.route || devices.includes(one.name) || defaultDevices(own).length > 0 }
  })
}
