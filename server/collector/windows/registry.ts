import { GuestError, largestReadBytes } from '../guest.ts'
import type { WindowsFiles } from './files.ts'
import { Hive, isDirtyHive } from './hive.ts'
import { type RegistryKeys, readKeys, type WithHive } from './hivexsh.ts'
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

/** The hive file of that name; throws a GuestError when there is none. */
export async function readHiveFile(files: WindowsFiles, windows: string, name: string): Promise<Buffer> {
  const hive = await files.read(`${windows}/System32/config/${name}`, largestReadBytes)
  if (hive === undefined) throw new GuestError('absent', `The registry hive ${name} is not there.`)
  return hive
}

const below = (root: string, keys: readonly string[]): string[] => keys.map((key) => `${root}\\${key}`)

async function openHive(
  files: WindowsFiles,
  windows: string,
  name: string,
  read: (hive: Buffer) => Promise<{ readonly keys: RegistryKeys; readonly root: string }>,
): Promise<Hive> {
  try {
    const bytes = await readHiveFile(files, windows, name)
    const dirty = isDirtyHive(bytes)
    const { keys, root } = await read(bytes)
    return new Hive(keys, dirty, root)
  } catch (error) {
    if (!(error instanceof GuestError)) throw error
    return new Hive(new GuestError(error.code, `Hive ${name}: ${error.message}`))
  }
}

/** Reads all keys that some fact needs, one hive after the other: the larger one may take 128 MiB. */
export async function readRegistry(files: WindowsFiles, windows: string, withHive: WithHive): Promise<Registry> {
  const system = await openHive(files, windows, 'SYSTEM', (bytes) =>
    withHive(bytes, async (hivexsh) => {
      const current = new Hive(await readKeys(hivexsh, ['\\Select'])).dword('Select', 'Current')
      if (current === undefined || current < 1 || current > 999) {
        throw new GuestError('damaged', 'It does not tell the current control set.')
      }
      const root = `\\ControlSet${String(current).padStart(3, '0')}`
      return { keys: await readKeys(hivexsh, below(root, systemKeys)), root }
    }),
  )
  const software = await openHive(files, windows, 'SOFTWARE', (bytes) =>
    withHive(bytes, async (hivexsh) => {
      const keys = await readKeys(hivexsh, below('', softwareKeys))
      return { keys: await withUninstall(hivexsh, keys), root: '' }
    }),
  )
  return { system, software }
}
