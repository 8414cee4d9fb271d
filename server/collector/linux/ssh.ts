import type { RemoteAccess } from '../../documents/facts.ts'
import { GuestError, type GuestFiles } from '../guest.ts'
import { iniValues, parseIni } from './ini.ts'
import type { Services } from './services.ts'
import { isLoopback, listenAddress, portNumber, readSshdConfig } from './sshd-config.ts'
import { assignments, atMost, readText, wordsOf } from './text.ts'
import type { Found } from './topic.ts'

type Ssh = NonNullable<RemoteAccess['ssh']>

/** Addresses and ports on which something listens. */
interface Listening {
  readonly ports: readonly number[]
  readonly loopbackOnly: boolean
}

const programs = ['/usr/sbin/sshd', '/usr/bin/sshd', '/usr/lib/ssh/sshd', '/usr/local/sbin/sshd']
const configs = ['/etc/ssh/sshd_config', '/usr/etc/ssh/sshd_config']
const optionFiles = ['/etc/default/ssh', '/etc/sysconfig/sshd', '/etc/sysconfig/ssh']
const socketUnits = ['ssh.socket', 'sshd.socket']
const generators = [
  '/usr/lib/systemd/system-generators/sshd-socket-generator',
  '/lib/systemd/system-generators/sshd-socket-generator',
]

/** True when the server's program is there. */
export async function sshdInstalled(files: GuestFiles): Promise<boolean> {
  return (await Promise.all(programs.map((path) => files.stat(path)))).some((stat) => stat !== undefined)
}

/** Ports that -p and -o Port= give on the command line, which overrule those of the configuration. */
export function commandLinePorts(options: string): number[] {
  const words = wordsOf(options)
  const ports = words.map((word, index) => {
    const next = words[index + 1] ?? ''
    if (word === '-p') return portNumber(next)
    if (word === '-o') return portNumber(/^port=(\d+)$/i.exec(next)?.[1])
    return portNumber(/^(?:-p|-oport=)(\d+)$/i.exec(word)?.[1])
  })
  return ports.filter((port) => port !== undefined)
}

const distinct = (ports: readonly number[]) => [...new Set(ports)].sort((a, b) => a - b)

/** Ports by their addresses. One that only the machine itself reaches counts only when there is no other. */
function reachable(all: readonly { readonly host: string; readonly port: number }[]): Listening {
  const open = all.filter(({ host }) => !isLoopback(host))
  const counted = open.length > 0 ? open : all
  return { ports: distinct(counted.map(({ port }) => port)), loopbackOnly: all.length > 0 && open.length === 0 }
}

/** Where the service itself listens, by the default, its configuration and its command line. */
export async function serviceListening(files: GuestFiles, options: string): Promise<Listening> {
  const [own, shipped] = await Promise.all(configs.map((path) => readSshdConfig(files, path)))
  const config = own ?? shipped
  const given = commandLinePorts(options)
  const configured = given.length > 0 ? given : (config?.ports ?? [])
  const ports = configured.length > 0 ? configured : [22]
  const addresses = config?.addresses ?? []
  if (addresses.length === 0) return { ports: distinct(ports), loopbackOnly: false }
  return reachable(
    addresses.flatMap(({ host, port }) => (port === undefined ? ports : [port]).map((one) => ({ host, port: one }))),
  )
}

/** Where a socket unit listens: its ListenStream= lines, an empty one of which forgets those before it. */
export function socketListening(texts: readonly string[]): Listening {
  let streams: string[] = []
  for (const text of texts) {
    for (const value of iniValues(parseIni(text), 'Socket', 'ListenStream')) {
      if (value === '') streams = []
      else streams.push(value)
    }
  }
  const addresses = streams.map((stream): { host: string; port?: number } => {
    const port = portNumber(stream)
    return port === undefined ? listenAddress(stream) : { host: '*', port }
  })
  return reachable(addresses.flatMap(({ host, port }) => (port === undefined ? [] : [{ host, port }])))
}

/** The command line that the service gets from its distribution's file of options. */
async function optionsOf(files: GuestFiles): Promise<string> {
  const texts = await Promise.all(optionFiles.map((path) => readText(files, path)))
  const options = texts.flatMap((text) => {
    const found = assignments(text ?? '')
    return ['SSHD_OPTS', 'OPTIONS', 'SSHD_OPTIONS'].map((name) => found.get(name) ?? '')
  })
  return options.join(' ')
}

async function linuxListening(files: GuestFiles, services: Services, service: boolean): Promise<Listening> {
  const { systemd } = services
  const own = optionsOf(files).then((options) => serviceListening(files, options))
  const [listening, ...active] = await Promise.all([
    own,
    ...socketUnits.map(async (unit) => ((await systemd?.startsAtBoot(unit)) === true ? unit : undefined)),
  ])
  const unit = active.find((one) => one !== undefined)
  if (systemd === undefined || unit === undefined) return listening
  const generated = await Promise.all(generators.map((path) => files.stat(path)))
  const byDefault = listening.ports.length === 1 && listening.ports[0] === 22 && !listening.loopbackOnly
  if (generated.some((stat) => stat !== undefined) && !byDefault) return listening
  const socket = socketListening(await systemd.texts(unit))
  const same = socket.ports.join() === listening.ports.join() && socket.loopbackOnly === listening.loopbackOnly
  if (service && !same) {
    throw new GuestError('ambiguous', 'The service and the socket of sshd are both enabled, with different ports.')
  }
  return socket
}

/** Whether sshd is installed and starts at boot. */
export async function sshState(files: GuestFiles, services: Services): Promise<Found> {
  const [installed, forbidden, service, ...sockets] = await Promise.all([
    sshdInstalled(files),
    files.stat('/etc/ssh/sshd_not_to_be_run'),
    services.startsAtBoot('ssh', 'sshd'),
    ...socketUnits.map((unit) => services.systemd?.startsAtBoot(unit) ?? false),
  ])
  const enabledAtBoot = forbidden === undefined && (service || sockets.includes(true))
  return { facts: { remoteAccess: { ssh: { installed, enabledAtBoot } } } }
}

/** Where sshd listens; nowhere when it is not installed. */
export async function sshListening(files: GuestFiles, services: Services): Promise<Found> {
  const [installed, service] = await Promise.all([sshdInstalled(files), services.startsAtBoot('ssh', 'sshd')])
  if (!installed) return { facts: { remoteAccess: { ssh: { ports: [], loopbackOnly: false } } } }
  const { ports, loopbackOnly } = await linuxListening(files, services, service)
  const ssh: Ssh = { ports: [...atMost(64, 'ports of sshd', ports)], loopbackOnly }
  return { facts: { remoteAccess: { ssh } } }
}
