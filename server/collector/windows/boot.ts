import type { Disk } from '../../documents/facts.ts'
import type { Part } from '../part.ts'
import { known } from './known.ts'
import { partitionOf, typedRole } from './roles.ts'
import type { SurveyedVolume } from './survey.ts'
import { Topic } from './topic.ts'

/** Boot loader and the firmware that the disk can start with. */
export function bootPart(volumes: readonly SurveyedVolume[], disk: Disk | undefined): Part {
  const topic = new Topic()
  const partitions = disk?.partitions ?? []
  const uefi =
    partitions.some((partition) => typedRole(partition) === 'efi-system') ||
    volumes.some((volume) => volume.efiLoader && partitionOf(volume.facts, disk) !== undefined)
  const loaders = volumes.map((volume) => volume.loader).filter((loader) => loader !== undefined)
  const bios = loaders.length > 0 && (disk?.partitionTable === 'mbr' || disk?.partitionTable === 'hybrid')
  const manager = loaders.includes('windows-boot-manager') || volumes.some((volume) => volume.efiLoader)
  const loader = manager ? ('windows-boot-manager' as const) : loaders[0]
  const firmware = uefi ? (bios ? ('both' as const) : ('uefi' as const)) : bios ? ('bios' as const) : undefined
  if (loader === undefined) topic.note('/boot/loader', 'undecided', 'No readable volume holds boot files of Windows.')
  if (firmware === undefined) topic.note('/boot/firmware', 'undecided', 'No loader for BIOS or UEFI was found.')
  return topic.part('boot files and partition types', known({ boot: known({ loader, firmware }) }))
}
