import type { GuestVolume, LinuxInput } from './input.ts'
import type { Mount } from './mount-tree.ts'
import { assignments, readText } from './text.ts'

/** GPT types and labels of the partition set that CoreOS Container Linux lays out itself. */
const vendorTypes = new Set(['5dfbf5f4-2848-4bac-aa5e-0d9a20b745a6', 'c95dc21a-df0e-4340-8d7b-26cbfa9a03e0'])
const vendorLabels = new Set(['USR-A', 'USR-B', 'OEM', 'OEM-CONFIG'])

/** What the system puts in the place of a missing file of /etc when it first boots, from its own copies below /usr. */
export const coreosSubstitutes: ReadonlyMap<string, string> = new Map([
  ['/etc/os-release', '/usr/lib/os-release'],
  ['/etc/lsb-release', '/usr/share/coreos/lsb-release'],
  ['/etc/issue', '/usr/share/baselayout/issue'],
  ['/etc/passwd', '/usr/share/baselayout/passwd'],
  ['/etc/shadow', '/usr/share/baselayout/shadow'],
  ['/etc/ssh/sshd_config', '/usr/share/ssh/sshd_config'],
  ['/etc/selinux/config', '/usr/lib/selinux/config'],
  ['/bin', '/usr/bin'],
  ['/sbin', '/usr/sbin'],
  ['/lib', '/usr/lib'],
  ['/lib64', '/usr/lib64'],
])

/** True for a partition of the vendor's own set besides root, EFI system and BIOS boot. */
export function isVendorPartition(typeCode: string | undefined, label: string | undefined): boolean {
  return (typeCode !== undefined && vendorTypes.has(typeCode)) || (label !== undefined && vendorLabels.has(label))
}

function labelled(input: LinuxInput, label: string): GuestVolume | undefined {
  return input.volumes.find(({ block }) => block.label === label || block.partitionLabel === label)
}

/**
 * The mounts of CoreOS Container Linux, which has no fstab; undefined when the image is of another system. Of two readable
 * system volumes the newer one counts, because an update gives it the priority.
 */
export async function coreosMounts(input: LinuxInput): Promise<Mount[] | undefined> {
  const systems = await Promise.all(
    input.volumes.map(async (volume) => {
      const text = volume.files && (await readText(volume.files, '/lib/os-release').catch(() => undefined))
      const release = assignments(text ?? '')
      return release.get('ID') === 'coreos' ? { volume, version: release.get('VERSION_ID') ?? '' } : undefined
    }),
  )
  const found = systems.filter((one) => one !== undefined)
  const root = labelled(input, 'ROOT')
  if (found.length === 0 || root === undefined) return undefined
  const collator = new Intl.Collator('en', { numeric: true })
  const [system] = found.sort(
    (a, b) => collator.compare(b.version, a.version) || (a.volume.block.device < b.volume.block.device ? -1 : 1),
  )
  if (system === undefined) return undefined
  const mount = (mountPoint: string, volume: GuestVolume, readOnly: boolean): Mount => {
    return { mountPoint, volume, prefix: '', atBoot: true, readOnly }
  }
  const mounts = [mount('/', root, false), mount('/usr', system.volume, true)]
  const efi = labelled(input, 'EFI-SYSTEM')
  const oem = labelled(input, 'OEM')
  if (efi) mounts.push(mount('/boot', efi, false))
  if (oem) mounts.push(mount('/usr/share/oem', oem, false))
  return mounts
}
