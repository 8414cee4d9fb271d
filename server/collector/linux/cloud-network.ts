import type { GuestFiles } from '../guest.ts'
import { type Configured, ipv6Of, type Kind, kindOfName } from './interface.ts'
import { netplanInterfaces } from './netplan.ts'
import type { Services } from './services.ts'
import { atMost, readText } from './text.ts'
import { mergeYaml, parseYaml, yamlList, yamlMember, yamlText } from './yaml.ts'

const maxFiles = 128
const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['bond', 'bond'],
  ['bridge', 'bridge'],
  ['vlan', 'vlan'],
  ['loopback', 'loopback'],
])

/** What cloud-init does with the network. */
export interface CloudNetwork {
  /** It runs at boot and may configure interfaces. */
  readonly configures: boolean
  /** Interfaces that its own configuration states. */
  readonly interfaces: readonly Configured[]
}

/** Interfaces of cloud-init's version 1: a list of physical and made-up devices with subnets. */
export function versionOne(network: unknown): Configured[] {
  return yamlList(yamlMember(network, 'config')).flatMap((entry): Configured[] => {
    const type = yamlText(yamlMember(entry, 'type')) ?? ''
    const name = yamlText(yamlMember(entry, 'name'))
    if (name === undefined || (type !== 'physical' && !kinds.has(type))) return []
    const subnets = yamlList(yamlMember(entry, 'subnets'))
    const types = subnets.map((subnet) => yamlText(yamlMember(subnet, 'type')) ?? '')
    const addresses = subnets.flatMap((subnet) => yamlText(yamlMember(subnet, 'address')) ?? [])
    const addresses6 = addresses.map(ipv6Of).filter((address) => address !== undefined)
    const dhcp = types.includes('dhcp') || types.includes('dhcp4')
    const gateway = subnets.some((subnet) => (yamlText(yamlMember(subnet, 'gateway')) ?? ':').includes('.'))
    const ipv4 = dhcp ? 'dhcp' : addresses.length > addresses6.length ? 'static' : 'none'
    return [
      {
        name,
        kind: kinds.get(type) ?? kindOfName(name),
        up: !subnets.some((subnet) => yamlText(yamlMember(subnet, 'control')) === 'manual'),
        ipv4,
        carrier: 'cloud-init',
        route: dhcp || gateway,
        addresses6,
      },
    ]
  })
}

/** Reads what cloud-init will do: nothing when it is not installed, switched off, or told to leave the network alone. */
export async function readCloudNetwork(files: GuestFiles, services: Services): Promise<CloudNetwork> {
  const [enabled, off, entries] = await Promise.all([
    services.startsAtBoot('cloud-init', 'cloud-init-local', 'cloud-init-main', 'cloudinit'),
    files.stat('/etc/cloud/cloud-init.disabled'),
    files.list('/etc/cloud/cloud.cfg.d'),
  ])
  // Newer packages start by a generator, which adds the target at boot.
  const generator = await Promise.all(
    ['/usr/lib', '/lib'].map((lib) => files.stat(`${lib}/systemd/system-generators/cloud-init-generator`)),
  )
  const runs = enabled || (services.systemd !== undefined && generator.some((stat) => stat !== undefined))
  if (!runs || off !== undefined) return { configures: false, interfaces: [] }
  const names = (entries ?? []).map(({ name }) => name).filter((name) => name.endsWith('.cfg'))
  const paths = ['/etc/cloud/cloud.cfg', ...names.sort().map((name) => `/etc/cloud/cloud.cfg.d/${name}`)]
  const texts = await Promise.all(atMost(maxFiles, 'files of cloud-init', paths).map((path) => readText(files, path)))
  let merged: unknown
  for (const text of texts) if (text !== undefined) merged = mergeYaml(merged, parseYaml(text))
  const network = yamlMember(merged, 'network')
  if (yamlText(yamlMember(network, 'config')) === 'disabled') return { configures: false, interfaces: [] }
  const version = yamlText(yamlMember(network, 'version'))
  const interfaces =
    version === '1' ? versionOne(network) : version === '2' ? netplanInterfaces(network, 'cloud-init') : []
  return { configures: true, interfaces }
}
