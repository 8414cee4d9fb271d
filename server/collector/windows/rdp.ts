import type { Part } from '../part.ts'
import { rulesAllowRdp } from './firewall-rules.ts'
import { known } from './known.ts'
import { opensRdpPort } from './open-ports.ts'
import { ntVersionOf } from './product.ts'
import type { Registry } from './registry.ts'
import { serviceDisabled } from './services.ts'
import { Topic, undecided } from './topic.ts'

const local = 'Control\\Terminal Server'
const policy = 'Policies\\Microsoft\\Windows NT\\Terminal Services'

function connectionsAllowed({ system, software }: Registry): boolean {
  const denied = software.dword(policy, 'fDenyTSConnections') ?? system.dword(local, 'fDenyTSConnections')
  if (denied === undefined || denied > 1) return undecided('fDenyTSConnections is neither 0 nor 1.')
  return denied === 0
}

function portOf({ system }: Registry): number {
  const port = system.dword(`${local}\\WinStations\\RDP-Tcp`, 'PortNumber')
  if (port === undefined || port < 1 || port > 65_535) return undecided('RDP-Tcp names no port.')
  return port
}

/** Remote Desktop: switch, service, port, and whether the guest's firewall lets the port in. An image that does not run listens nowhere. */
export function rdpPart(registry: Registry): Part {
  const topic = new Topic()
  const take = <T>(name: string, find: () => T): T | undefined => topic.take(`/remoteAccess/rdp/${name}`, find)
  const listeningPorts: number[] = []
  const rdp = known({
    connectionsAllowed: take('connectionsAllowed', () => connectionsAllowed(registry)),
    serviceDisabled: take('serviceDisabled', () => serviceDisabled(registry.system, 'TermService')),
    port: take('port', () => portOf(registry)),
    listeningPorts,
    allowedByFirewall: take('allowedByFirewall', () =>
      ntVersionOf(registry.software).startsWith('5.') ? opensRdpPort(registry) : rulesAllowRdp(registry),
    ),
  })
  return topic.part(
    'registry hives SYSTEM (Terminal Server, TermService, firewall rules) and SOFTWARE (group policy)',
    {
      remoteAccess: { ...known({ rdp }) },
    },
  )
}
