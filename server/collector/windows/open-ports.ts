import type { Registry } from './registry.ts'
import { undecided } from './topic.ts'

const localRoot = 'Services\\SharedAccess\\Parameters\\FirewallPolicy'
const policyRoot = 'Policies\\Microsoft\\WindowsFirewall'
const port = '3389:TCP'

type Opening = 'open' | 'partly' | 'closed'

/** A value is 3389:TCP:SCOPE:Enabled:NAME. */
function openingOf(value: string | undefined): Opening {
  const [number, protocol, scope, state] = (value ?? '').toLowerCase().split(':')
  if (number !== '3389' || protocol !== 'tcp' || state !== 'enabled') return 'closed'
  return scope === '*' ? 'open' : 'partly'
}

function profileOpening({ system, software }: Registry, profile: string): Opening {
  const list = `${profile}\\GloballyOpenPorts\\List`
  const openings = [
    openingOf(system.text(`${localRoot}\\${list}`, port)),
    openingOf(software.text(`${policyRoot}\\${list}`, port)),
  ]
  return openings.find((opening) => opening === 'open') ?? openings.find((opening) => opening === 'partly') ?? 'closed'
}

/** Whether the open ports of XP and Server 2003 let TCP 3389 in from everywhere, in both profiles; throws when only partly. */
export function opensRdpPort(registry: Registry): boolean {
  const openings = ['DomainProfile', 'StandardProfile'].map((profile) => profileOpening(registry, profile))
  if (openings.every((opening) => opening === 'closed')) return false
  if (openings.every((opening) => opening === 'open')) return true
  return undecided('Port 3389 is open in one profile, or for some addresses, only.')
}
