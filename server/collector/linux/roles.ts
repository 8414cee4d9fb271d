import type { Partition, Volume } from '../../documents/facts.ts'
import { isVendorPartition } from './coreos.ts'
import type { BlockDevice, GuestVolume, LinuxInput } from './input.ts'
import type { Mount } from './mount-tree.ts'
import { roleByType } from './partition-types.ts'
import { shown, stated } from './text.ts'

const systemDirectories = new Set(['/usr', '/var', '/home', '/opt', '/srv', '/tmp'])
const efiMountPoints = /^\/(boot|efi|boot\/efi)$/

/** What the installed system is known to do with the image's volumes. */
export interface Layout {
  readonly mounts: readonly Mount[]
  readonly coreos: boolean
  readonly freebsd: boolean
  /** Everything that is mounted at boot could be told from a volume; if not, what no mount names is unknown. */
  readonly mountsKnown: boolean
}

/** True for a volume that holds an EFI system partition, by its partition's role. */
function isEfi(volume: GuestVolume, input: LinuxInput): boolean {
  const number = volume.facts.partitionNumber
  if (volume.facts.role === 'efi-system') return true
  const partition = input.disk?.partitions?.find((one) => number !== undefined && one.number === number)
  return partition !== undefined && roleByType(partition) === 'efi-system'
}

/** The mount that stands nearest to the root of those of a volume: a btrfs has many. */
function mountOf(volume: GuestVolume, layout: Layout): Mount | undefined {
  const own = layout.mounts.filter((mount) => mount.volume === volume)
  const rank = (mount: Mount) => mount.mountPoint.length + (mount.atBoot ? 0 : 10_000)
  return own.toSorted((a, b) => rank(a) - rank(b))[0]
}

function volumeRole(volume: GuestVolume, mount: Mount | undefined, layout: Layout, input: LinuxInput): Volume['role'] {
  if (
    isEfi(volume, input) ||
    (mount && volume.facts.fileSystem?.startsWith('fat') && efiMountPoints.test(mount.mountPoint))
  ) {
    return 'efi-system'
  }
  if (mount?.mountPoint === '/') return 'root'
  if (mount?.mountPoint === '/boot') return 'boot'
  return mount !== undefined || layout.mountsKnown ? 'data' : undefined
}

/** A volume's facts with what the installed system does with it. */
export function volumeFacts(volume: GuestVolume, layout: Layout, input: LinuxInput): Volume {
  const mount = mountOf(volume, layout)
  const readOnlyType = ['squashfs', 'iso9660'].includes(volume.facts.fileSystem ?? '')
  return {
    ...volume.facts,
    ...stated({
      role: volumeRole(volume, mount, layout, input),
      mounted: mount ? mount.atBoot : layout.mountsKnown ? false : undefined,
      mountPoint: shown(mount?.mountPoint, 1024),
      readOnly: mount ? mount.readOnly || readOnlyType : layout.mountsKnown ? readOnlyType : undefined,
    }),
  }
}

function partitionRole(
  partition: Partition,
  block: BlockDevice | undefined,
  mounts: readonly Mount[],
  layout: Layout,
): Partition['role'] {
  const points = mounts.map(({ mountPoint }) => mountPoint)
  if (points.includes('/')) return 'root'
  const byType = roleByType(partition)
  if (byType !== undefined) return byType
  if (layout.coreos && isVendorPartition(partition.typeCode, block?.partitionLabel ?? block?.label)) return 'vendor'
  if (partition.content === 'swap') return layout.freebsd ? 'freebsd-swap' : 'swap'
  if (points.includes('/boot')) return 'boot'
  if (points.some((point) => systemDirectories.has(point))) return 'system-directory'
  return points.length > 0 || layout.mountsKnown ? 'data' : undefined
}

/** The partitions with their roles, mount points and whether they lie behind root. */
export function partitionFacts(partitions: readonly Partition[], layout: Layout, input: LinuxInput): Partition[] {
  const blocks = [...input.volumes.map(({ block }) => block), ...input.otherBlocks]
  const withRoles = partitions.map((partition) => {
    const mounts = layout.mounts.filter(({ volume }) => volume?.block.partitionNumber === partition.number)
    const block = blocks.find(({ partitionNumber }) => partitionNumber === partition.number)
    const nearest = mounts
      .filter(({ atBoot }) => atBoot)
      .toSorted((a, b) => a.mountPoint.length - b.mountPoint.length)[0]
    const role = partitionRole(partition, block, mounts, layout)
    return { ...partition, ...stated({ role, mountPoint: shown(nearest?.mountPoint, 1024) }) }
  })
  const root = withRoles.find(({ role }) => role === 'root')
  const end =
    root?.startBytes !== undefined && root.sizeBytes !== undefined ? root.startBytes + root.sizeBytes : undefined
  return withRoles.map((partition) => {
    const { startBytes } = partition
    return end === undefined || startBytes === undefined ? partition : { ...partition, followsRoot: startBytes >= end }
  })
}
