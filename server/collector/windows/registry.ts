import { GuestError, largestReadBytes } from '../guest.ts'
import type { WindowsFiles } from './files.ts'
import { Hive, isDirtyHive } from './hive.ts'
import { type HiveSource, type Hivexsh, type RegistryKeys, readKeys, type WithHive } from './hivexsh.ts'
import { uninstallKeys, withUninstall } from './uninstall.ts'

/** Keys of the current control set, parents before their subkeys. */
const systemKeys = [
  'Control\\ProductOptions',
  'Control\\Windows',
  'Control\\Session Manager\\Environment',
  'Control\\Terminal Server',
  'Control\\Terminal Server\\WinStations\\RDP-Tcp',
  'Services',
  'Services\\MpsSvc',
  'Services\\TermService',
  'Services\\SharedAccess',
  'Services\\SharedAccess\\Parameters\\FirewallPolicy',
  'Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules',
  ...['DomainProfile', 'StandardProfile', 'PublicProfile'].flatMap((profile) => [
    `Services\\SharedAccess\\Parameters\\FirewallPolicy\\${profile}`,
    `Services\\SharedAccess\\Parameters\\FirewallPolicy\\${profile}\\GloballyOpenPorts\\List`,
  ]),
]

const softwareKeys = [
  ...uninstallKeys,
  'Microsoft\\Windows NT\\CurrentVersion',
  'Policies\\Microsoft\\Windows NT\\Terminal Services',
  'Policies\\Microsoft\\WindowsFirewall',
  'Policies\\Microsoft\\WindowsFirewall\\FirewallRules',
  ...['DomainProfile', 'StandardProfile', 'PrivateProfile', 'PublicProfile'].flatMap((profile) => [
    `Policies\\Microsoft\\WindowsFirewall\\${profile}`,
    `Policies\\Microsoft\\WindowsFirewall\\${profile}\\GloballyOpenPorts\\List`,
  ]),
]

/** The two hives that the facts come from; system stands in the control set that Windows would use. */
export interface Registry {
  readonly system: Hive
  readonly software: Hive
}

/** The hive of that name, which rejects with a GuestError when there is none. */
export function hiveSource(files: WindowsFiles, windows: string, name: string): HiveSource {
  return async (path) => {
    const saved = await files.save(`${windows}/System32/config/${name}`, path, largestReadBytes)
    if (!saved) throw new GuestError('absent', `The registry hive ${name} is not there.`)
  }
}

const below = (root: string, keys: readonly string[]): string[] => keys.map((key) => `${root}\\${key}`)

async function openHive(
  hive: HiveSource,
  name: string,
  withHive: WithHive,
  read: (hivexsh: Hivexsh) => Promise<{ readonly keys: RegistryKeys; readonly root: string }>,
): Promise<Hive> {
  try {
    return await withHive(hive, async (hivexsh, head) => {
      const dirty = isDirtyHive(head)
      const { keys, root } = await read(hivexsh)
      return new Hive(keys, dirty, root)
    })
  } catch (error) {
    if (!(error instanceof GuestError)) throw error
    return new Hive(new GuestError(error.code, `Hive ${name}: ${error.message}`))
  }
}

/** Reads all keys that some fact needs, one hive after the other: the larger one may take 128 MiB. */
export async function readRegistry(files: WindowsFiles, windows: string, withHive: WithHive): Promise<Registry> {
  const open = (name: string, read: Parameters<typeof openHive>[3]) =>
    openHive(hiveSource(files, windows, name), name, withHive, read)
  const system = await open('SYSTEM', async (hivexsh) => {
    const current = new Hive(await readKeys(hivexsh, ['\\Select'])).dword('Select', 'Current')
    if (current === undefined || current < 1 || current > 999) {
      throw new GuestError('damaged', 'It does not tell the current control set.')
    }
    const root = `\\ControlSet${String(current).padStart(3, '0')}`
    return { keys: await readKeys(hivexsh, below(root, systemKeys)), root }
  })
  const software = await open('SOFTWARE', async (hivexsh) => {
    const keys = await readKeys(hivexsh, below('', softwareKeys))
    return { keys: await withUninstall(hivexsh, keys), root: '' }
  })
  return { system, software }
}
