import type { Network, NetworkInterface } from '../../documents/facts.ts'
import { stated } from './text.ts'

/** What kind of interface. */
export type Kind = NonNullable<NetworkInterface['kind']>
/** Which program's files configure it. */
export type Carrier = NonNullable<NetworkInterface['carrier']>
/** How it gets its IPv4 address. */
export type Method = NonNullable<NetworkInterface['ipv4']>

/** One interface as one carrier's files configure it. */
export interface Configured {
  readonly name: string
  readonly kind: Kind
  readonly up: boolean
  readonly ipv4: Method
  readonly carrier: Carrier
  /** It carries a default route: an own gateway, or DHCP that may set one. */
  readonly route: boolean
  /** IPv6 addresses that are written down, with or without a prefix length. */
  readonly addresses6: readonly string[]
}

const kinds: readonly (readonly [pattern: RegExp, kind: Kind])[] = [
  [/[*?[\]!]/, 'template'],
  [/^lo\d*$/, 'loopback'],
  [/^(docker|veth|virbr|vnet|lxc|lxd|cni|podman|flannel|cali|cbr|ve-|vb-|vz-|host0|vmnet|epair)/, 'container'],
  [/^(bond|team|lagg)/, 'bond'],
  [/^br(idge)?[-_\d]/, 'bridge'],
  [/^(tun|tap|wg|sit|gre|gif|ppp|ipip|ip6tnl|vxlan|stf|ipsec|vti)/, 'tunnel'],
  [/^vlan|^[a-z][a-z0-9]*\.\d{1,4}$/, 'vlan'],
]

/** The kind that an interface's name tells, where no configuration says better. */
export function kindOfName(name: string): Kind {
  return kinds.find(([pattern]) => pattern.test(name))?.[1] ?? 'physical'
}

/** An IPv6 address in a text that may carry a prefix length or a zone; undefined when it is none. */
export function ipv6Of(text: string): string | undefined {
  const address = text.trim().replace(/\/\d{1,3}$/, '')
  const bare = address.replace(/%[A-Za-z0-9_.-]{1,32}$/, '')
  return /^[0-9A-Fa-f:.]{2,45}$/.test(bare) && bare.split(':').length > 2 ? address : undefined
}

type Scope = NonNullable<NonNullable<Network['ipv6Addresses']>[number]['scope']>

/** Where an IPv6 address is valid; the unspecified address and multicast are nobody's own. */
export function scopeOf(address: string): Scope | undefined {
  const bare = (address.split('%')[0] ?? '').toLowerCase()
  if (/^(0{0,4}:)*0{0,4}$/.test(bare)) return undefined
  if (/^(0{0,4}:)*0{0,3}1$/.test(bare)) return 'loopback'
  const first = Number.parseInt(bare.split(':')[0] || '0', 16)
  if ((first & 0xff00) === 0xff00) return undefined
  if ((first & 0xffc0) === 0xfe80) return 'link-local'
  return (first & 0xfe00) === 0xfc00 ? 'unique-local' : 'global'
}

/** Interfaces of the same name become one: the first carrier's, with every address. */
export function mergeByName(all: readonly Configured[]): Configured[] {
  const merged = new Map<string, Configured>()
  for (const one of all) {
    const known = merged.get(one.name)
    merged.set(one.name, known ? { ...known, addresses6: [...new Set([...known.addresses6, ...one.addresses6])] } : one)
  }
  return [...merged.values()]
}

/** Comes up at boot and may reach another machine. */
function counts({ up, kind }: Configured): boolean {
  return up && !['loopback', 'container', 'template'].includes(kind)
}

/** Which interface is primary: the only one that comes up, else the only one with a default route; undefined when neither. */
function primaryOf(all: readonly Configured[]): Configured | undefined {
  const up = all.filter(counts)
  const configured = up.filter(({ ipv4 }) => ipv4 !== 'none')
  if (up.length === 1) return up[0]
  if (configured.length === 1 && up.some(({ kind }) => kind !== 'physical')) return configured[0]
  const routed = up.filter(({ route }) => route)
  return routed.length === 1 ? routed[0] : undefined
}

/** The facts of the interfaces. Primary is stated of all, or of none when several come up and none can be told. */
export function interfaceFacts(all: readonly Configured[]): NetworkInterface[] {
  const primary = primaryOf(all)
  const known = primary !== undefined || !all.some(counts)
  return all.map((one) =>
    stated({
      name: one.name,
      kind: one.kind,
      broughtUpAtBoot: one.up,
      primary: known ? one === primary : undefined,
      ipv4: one.kind === 'loopback' ? 'none' : one.ipv4,
      carrier: one.carrier,
    }),
  )
}
