import type { Network } from '../../documents/facts.ts'
import { GuestError, type GuestFiles } from '../guest.ts'
import { readCloudNetwork } from './cloud-network.ts'
import { readIfcfg, readSuseIfcfg } from './ifcfg.ts'
import { readIfupdown } from './ifupdown.ts'
import { type Configured, interfaceFacts, mergeByName, scopeOf } from './interface.ts'
import { connectsByItself, readKeyfiles } from './keyfile.ts'
import { learnedAddresses } from './leases.ts'
import { readNetplan } from './netplan.ts'
import { readNetworkd } from './networkd.ts'
import type { Services } from './services.ts'
import { shown, stated } from './text.ts'
import type { Found } from './topic.ts'

const maxEntries = 256

/** Everything that configures the network of the next boot. */
interface Configuration {
  readonly interfaces: Configured[]
  readonly automatic: NonNullable<Network['automatic']>
}

async function present(files: GuestFiles, ...paths: readonly string[]): Promise<boolean> {
  return (await Promise.all(paths.map((path) => files.stat(path)))).some((stat) => stat !== undefined)
}

/** Which carriers run at boot. A carrier that does not run leaves its files without effect. */
async function runningCarriers(files: GuestFiles, services: Services) {
  const starts = (...names: string[]) => services.startsAtBoot(...names)
  const [networking, ifup, networkScripts, manager, wicked, networkd, netplan, suse] = await Promise.all([
    starts('networking', 'ifupdown', 'network-interface'),
    present(files, '/sbin/ifup', '/usr/sbin/ifup'),
    starts('network'),
    starts('NetworkManager', 'network-manager'),
    starts('wicked'),
    starts('systemd-networkd'),
    present(
      files,
      '/usr/sbin/netplan',
      '/lib/netplan/generate',
      '/usr/libexec/netplan/generate',
      '/usr/lib/netplan/generate',
    ),
    present(files, '/etc/sysconfig/network/config'),
  ])
  return {
    ifupdown: networking && ifup,
    ifcfg: !suse && (networkScripts || manager),
    suseScripts: suse && !wicked && !manager && networkScripts,
    wicked: suse && wicked,
    manager,
    networkd,
    netplan,
  }
}

async function configuration(files: GuestFiles, services: Services): Promise<Configuration> {
  const running = await runningCarriers(files, services)
  const none: Configured[] = []
  const [cloud, netplan, ifupdown, ifcfg, suse, keyfiles, networkd, automatic, wickedOwn] = await Promise.all([
    readCloudNetwork(files, services),
    running.netplan ? readNetplan(files) : none,
    running.ifupdown ? readIfupdown(files) : none,
    running.ifcfg ? readIfcfg(files) : none,
    running.wicked || running.suseScripts ? readSuseIfcfg(files, running.wicked ? 'wicked' : 'ifcfg') : none,
    running.manager ? readKeyfiles(files) : none,
    running.networkd ? readNetworkd(files) : { interfaces: none, shippedCatchAll: false },
    running.manager ? connectsByItself(files) : false,
    running.wicked ? files.list('/etc/wicked/ifconfig') : undefined,
  ])
  if (wickedOwn?.some(({ name }) => name.endsWith('.xml'))) {
    throw new GuestError('unsupported', 'wicked has configuration in its own XML form, which is not read.')
  }
  return {
    interfaces: mergeByName([
      ...netplan,
      ...ifupdown,
      ...ifcfg,
      ...suse,
      ...keyfiles,
      ...networkd.interfaces,
      ...cloud.interfaces,
    ]),
    automatic: cloud.configures
      ? 'cloud-init'
      : automatic
        ? 'network-manager'
        : networkd.shippedCatchAll
          ? 'networkd-default'
          : 'none',
  }
}

/** The section network from interfaces, whichever system they are of. */
export function networkSection(
  configured: readonly Configured[],
  learned: readonly { readonly address: string; readonly interface?: string }[],
  automatic: NonNullable<Network['automatic']>,
): Network {
  if (configured.length > maxEntries) throw new GuestError('too-large', 'The configuration names too many interfaces.')
  const named = configured.map((one) => ({ ...one, name: shown(one.name, 64) ?? '-' }))
  const written = named.flatMap(({ name, addresses6 }) =>
    addresses6.map((address) => ({ interface: name, address, origin: 'configured' as const })),
  )
  const all = [...written, ...learned.map((one) => ({ ...one, origin: 'dhcpv6' as const }))]
  const addresses = all.flatMap((one) => {
    const scope = scopeOf(one.address)
    return scope === undefined ? [] : [stated({ ...one, scope })]
  })
  if (addresses.length > maxEntries) throw new GuestError('too-large', 'The configuration names too many addresses.')
  return { interfaces: interfaceFacts(named), automatic, ipv6Addresses: addresses }
}

/** The section network of a Linux guest. */
export async function networkFacts(files: GuestFiles, services: Services): Promise<Found> {
  const [{ interfaces, automatic }, learned] = await Promise.all([
    configuration(files, services),
    learnedAddresses(files),
  ])
  return { facts: { network: networkSection(interfaces, learned, automatic) } }
}
