import type { Disk, Partition, Volume } from '../../documents/facts.ts'
import type { SurveyedVolume } from './survey.ts'

type VolumeRole = NonNullable<Volume['role']>
type PartitionRole = NonNullable<Partition['role']>

/** Roles that a partition's type gives, whatever is in it: MBR codes and GPT identifiers. */
const rolesOfTypes: ReadonlyMap<string, 'efi-system' | 'msr' | 'recovery'> = new Map([
  ['ef', 'efi-system'],
  ['c12a7328-f81f-11d2-ba4b-00a0c93ec93b', 'efi-system'],
  ['e3c9e316-0b5c-4db8-817d-f92df00215ae', 'msr'],
  ['27', 'recovery'],
  ['de94bba4-06d1-4d40-a16a-bfd50179d6ac', 'recovery'],
])
const extendedTypes = new Set(['05', '0f', '85'])

/** The role that the partition's type gives, if it gives one. */
export function typedRole(partition: Partition | undefined): 'efi-system' | 'msr' | 'recovery' | undefined {
  return rolesOfTypes.get(partition?.typeCode ?? '')
}

/** The partition that holds a volume. */
export function partitionOf(volume: Volume, disk: Disk | undefined): Partition | undefined {
  if (volume.partitionNumber === undefined) return undefined
  return disk?.partitions?.find((partition) => partition.number === volume.partitionNumber)
}

const withDriveLetter: ReadonlySet<Volume['fileSystem']> = new Set(['ntfs', 'fat12', 'fat16', 'fat32', 'exfat', 'refs'])

/** What an unreadable volume is for, told by what the others hold. */
function hiddenRole(volume: SurveyedVolume, all: readonly SurveyedVolume[]): VolumeRole | undefined {
  if (all.some((one) => one.windows !== undefined)) {
    return all.some((one) => one.loader !== undefined || one.efiLoader) ? 'data' : undefined
  }
  // Windows must be on some volume of the system disk, and only an encrypted one is left.
  const locked = all.filter((one) => one.facts.encryption === 'bitlocker')
  return locked.length === 1 && locked[0] === volume ? 'boot' : undefined
}

/**
 * What Windows uses a volume for; undefined while it cannot be told. Drive letters are not read: a volume of a file system that Windows mounts, and that
 * is none of the others, counts as data.
 */
export function volumeRole(
  volume: SurveyedVolume,
  all: readonly SurveyedVolume[],
  disk: Disk | undefined,
): VolumeRole | undefined {
  if (volume.windows !== undefined) return 'boot'
  const typed = typedRole(partitionOf(volume.facts, disk))
  if (typed !== undefined) return typed
  if (volume.loader !== undefined) return 'system'
  const encrypted = volume.facts.encryption !== undefined && volume.facts.encryption !== 'none'
  if (!encrypted && !withDriveLetter.has(volume.facts.fileSystem)) return undefined
  return volume.files === undefined ? hiddenRole(volume, all) : 'data'
}

/** What Windows uses a partition for, by its type and the role of its volume. */
export function partitionRole(partition: Partition, role: VolumeRole | undefined): PartitionRole | undefined {
  const typed = typedRole(partition)
  if (typed !== undefined) return typed
  if (extendedTypes.has(partition.typeCode ?? '')) return 'extended'
  if (role === 'boot' || role === 'system' || role === 'data') return 'windows'
  return partition.content === 'unformatted' ? 'data' : partition.role
}
