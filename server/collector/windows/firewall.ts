import type { FirewallProfile } from '../../documents/facts.ts'
import type { Part } from '../part.ts'
import type { Hive } from './hive.ts'
import { known } from './known.ts'
import { ntVersionOf } from './product.ts'
import type { Registry } from './registry.ts'
import { serviceDisabled } from './services.ts'
import { Topic, undecided } from './topic.ts'

const localRoot = 'Services\\SharedAccess\\Parameters\\FirewallPolicy'
const policyRoot = 'Policies\\Microsoft\\WindowsFirewall'

type Switch = 'on' | 'off'

function switchOf(hive: Hive, path: string): Switch | undefined {
  const value = hive.dword(path, 'EnableFirewall')
  if (value === undefined) return undefined
  if (value > 1) return undecided(`EnableFirewall of ${path} is neither 0 nor 1.`)
  return value === 1 ? 'on' : 'off'
}

function localSwitch(system: Hive, profile: string): Switch {
  const path = `${localRoot}\\${profile}`
  return switchOf(system, path) ?? undecided(`The value EnableFirewall of ${profile} is not set.`)
}

/** The private profile's policy has a name of its own since Vista and that of the standard profile before; both may stand. */
function privatePolicy(software: Hive): Switch | 'unset' {
  const named = switchOf(software, `${policyRoot}\\PrivateProfile`)
  const standard = switchOf(software, `${policyRoot}\\StandardProfile`)
  if (named !== undefined && standard !== undefined && named !== standard) {
    undecided('The group policies of the private and of the standard profile contradict each other.')
  }
  return named ?? standard ?? 'unset'
}

function publicPolicy(software: Hive): Switch | 'unset' {
  const named = switchOf(software, `${policyRoot}\\PublicProfile`)
  if (named === undefined && switchOf(software, `${policyRoot}\\StandardProfile`) !== undefined) {
    undecided('A group policy of the standard profile may reach the public profile.')
  }
  return named ?? 'unset'
}

/** Services and profiles of the Windows firewall, local settings and group policy. */
export function firewallPart({ system, software }: Registry): Part {
  const topic = new Topic()
  const beforeVista = (): boolean => ntVersionOf(software).startsWith('5.')
  const disabled = topic.take('/firewall/service/disabled', () =>
    serviceDisabled(system, beforeVista() ? 'SharedAccess' : 'MpsSvc'),
  )
  const hasPublic = topic.take('/firewall/profiles/public', () => !beforeVista())
  const profile = (name: string, key: string, policy: () => Switch | 'unset'): FirewallProfile | undefined =>
    known({
      local: topic.take(`/firewall/profiles/${name}/local`, () => localSwitch(system, key)),
      policy: topic.take(`/firewall/profiles/${name}/policy`, policy),
    })
  const facts = known({
    service: known({ disabled }),
    profiles: known({
      domain: profile('domain', 'DomainProfile', () => switchOf(software, `${policyRoot}\\DomainProfile`) ?? 'unset'),
      private: profile('private', 'StandardProfile', () => privatePolicy(software)),
      public: hasPublic !== true ? undefined : profile('public', 'PublicProfile', () => publicPolicy(software)),
    }),
  })
  return topic.part(
    'registry hives SYSTEM (SharedAccess, MpsSvc) and SOFTWARE (group policy)',
    known({ firewall: facts }),
  )
}
