import type { Disk, Volume } from '../../documents/facts.ts'
import type { Part } from '../part.ts'
import { known } from './known.ts'
import { partitionOf, partitionRole, typedRole, volumeRole } from './roles.ts'
import type { SurveyedVolume } from './survey.ts'
import { Topic } from './topic.ts'

/** The check of the layer below knows the dirty flag; a hibernated system makes an NTFS volume dirty too. */
function checkOf(topic: Topic, { facts, hibernated }: SurveyedVolume, index: number): Volume['check'] {
  if (facts.fileSystem !== 'ntfs' || facts.check === undefined || facts.check.result !== 'clean') return facts.check
  if (hibernated === false) return facts.check
  if (hibernated === true) return { result: 'dirty', method: facts.check.method }
  topic.note(`/volumes/${index}/check`, 'unreadable', 'Whether a hibernated system lies on the volume cannot be told.')
  return undefined
}

function holdsWindows(
  topic: Topic,
  volume: SurveyedVolume,
  disk: Disk | undefined,
  index: number,
): boolean | undefined {
  if (volume.files !== undefined) return volume.windows !== undefined
  if (typedRole(partitionOf(volume.facts, disk)) !== undefined) return false
  // Windows starts from neither.
  if (volume.facts.fileSystem === 'exfat' || volume.facts.fileSystem === 'refs') return false
  const { code, message } = volume.problem ?? { code: 'unreadable', message: 'The files of the volume cannot be read.' }
  topic.note(`/volumes/${index}/holdsWindowsDirectory`, code, message)
  return undefined
}

/** All volumes and partitions with the roles that Windows gives them. driveLetter is that of the Windows directory, if it is known. */
export function volumesPart(
  volumes: readonly SurveyedVolume[],
  disk: Disk | undefined,
  driveLetter: string | undefined,
): Part {
  const topic = new Topic()
  const entries = volumes.map((volume, index): Volume => {
    const { check: _check, ...facts } = volume.facts
    const role = volumeRole(volume, volumes, disk)
    if (role === undefined)
      topic.note(`/volumes/${index}/role`, 'unreadable', 'What the volume is used for cannot be told.')
    const own = volume.windows === undefined ? {} : { mounted: true, ...known({ mountPoint: driveLetter }) }
    return {
      ...facts,
      ...own,
      ...known({
        role,
        holdsWindowsDirectory: holdsWindows(topic, volume, disk, index),
        check: checkOf(topic, volume, index),
      }),
    }
  })
  const partitions = disk?.partitions?.map((partition) => {
    const volume = entries.find((entry) => entry.partitionNumber === partition.number)
    return { ...partition, ...known({ role: partitionRole(partition, volume?.role), mountPoint: volume?.mountPoint }) }
  })
  return topic.part('partition types, and Windows directory, boot files and hiberfil.sys of each volume', {
    volumes: entries,
    ...known({ disk: disk === undefined ? undefined : { ...disk, ...known({ partitions }) } }),
  })
}
