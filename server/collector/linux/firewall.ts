import type { FirewallMechanism } from '../../documents/facts.ts'
import type { GuestFiles } from '../guest.ts'
import { iptablesFilters } from './firewall-rules.ts'
import { nftFileFilters } from './nft-files.ts'
import type { Services } from './services.ts'
import { assignments, readText, stated } from './text.ts'
import { type Found, missing } from './topic.ts'

/** One mechanism: by which services and programs it shows, and what it would load. */
interface Known {
  readonly name: FirewallMechanism['name']
  readonly services: readonly string[]
  readonly programs: readonly string[]
  /** Whether its rules filter; left out where it filters whenever it is enabled. */
  readonly filters?: (files: GuestFiles) => Promise<boolean | undefined>
}

async function anyFilters(files: GuestFiles, paths: readonly string[]): Promise<boolean> {
  const texts = await Promise.all(paths.map((path) => readText(files, path)))
  return texts.some((text) => text !== undefined && iptablesFilters(text))
}

const bin = (name: string) => [`/usr/sbin/${name}`, `/sbin/${name}`]

const mechanisms: readonly Known[] = [
  { name: 'firewalld', services: ['firewalld'], programs: bin('firewalld') },
  {
    name: 'susefirewall2',
    services: ['SuSEfirewall2', 'SuSEfirewall2_init', 'SuSEfirewall2_setup'],
    programs: bin('SuSEfirewall2'),
  },
  {
    name: 'ufw',
    services: ['ufw'],
    programs: bin('ufw'),
    filters: async (files) => {
      const enabled = assignments((await readText(files, '/etc/ufw/ufw.conf')) ?? '').get('ENABLED')
      return enabled?.toLowerCase() === 'yes'
    },
  },
  {
    name: 'iptables',
    services: ['iptables', 'iptables-restore'],
    programs: bin('iptables'),
    filters: (files) => anyFilters(files, ['/etc/sysconfig/iptables', '/var/lib/iptables/rules-save']),
  },
  {
    name: 'ip6tables',
    services: ['ip6tables', 'ip6tables-restore'],
    programs: bin('ip6tables'),
    filters: (files) => anyFilters(files, ['/etc/sysconfig/ip6tables', '/var/lib/ip6tables/rules-save']),
  },
  {
    name: 'netfilter-persistent',
    services: ['netfilter-persistent', 'iptables-persistent'],
    programs: bin('netfilter-persistent'),
    filters: (files) => anyFilters(files, ['/etc/iptables/rules.v4', '/etc/iptables/rules.v6', '/etc/iptables/rules']),
  },
  {
    name: 'nftables',
    services: ['nftables'],
    programs: bin('nft'),
    filters: async (files) => {
      const paths = ['/etc/nftables.conf', '/etc/sysconfig/nftables.conf']
      return (await Promise.all(paths.map((path) => nftFileFilters(files, path)))).includes(true)
    },
  },
  {
    name: 'other',
    services: ['shorewall', 'shorewall6', 'ferm', 'csf', 'lfd', 'apf', 'arno-iptables-firewall', 'firehol'],
    programs: [],
    filters: async () => undefined,
  },
]

/** What one mechanism would do at boot; undefined when it is not installed. */
async function examine(known: Known, files: GuestFiles, services: Services): Promise<FirewallMechanism | undefined> {
  const programs = await Promise.all(known.programs.map((path) => files.stat(path)))
  if (!services.installed(...known.services) && programs.every((stat) => stat === undefined)) return undefined
  const enabledAtBoot = await services.startsAtBoot(...known.services)
  if (known.filters === undefined) return { name: known.name, enabledAtBoot }
  const filters = enabledAtBoot || known.name === 'ufw' ? await known.filters(files) : false
  return stated({ name: known.name, enabledAtBoot, filters })
}

/** Every known mechanism that is installed. Rules of a mechanism that does not start load nothing, so it does not filter. */
export async function firewallFacts(files: GuestFiles, services: Services): Promise<Found> {
  const found = await Promise.all(mechanisms.map((known) => examine(known, files, services)))
  const installed = found.filter((one) => one !== undefined)
  const lost = installed.flatMap((one, index) =>
    one.name === 'other' && one.filters === undefined
      ? [
          missing(
            `/firewall/mechanisms/${index}/filters`,
            'unsupported',
            'The rules of this mechanism are not understood.',
          ),
        ]
      : [],
  )
  return { facts: { firewall: { mechanisms: installed } }, missing: lost }
}

/** The mechanisms that would filter after the next boot. */
export function filtering(installed: readonly FirewallMechanism[]): FirewallMechanism[] {
  return installed.filter(({ enabledAtBoot, filters }) => enabledAtBoot === true && filters !== false)
}
