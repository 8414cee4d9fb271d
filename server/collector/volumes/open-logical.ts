import { missingFrom, type Range } from '../disk/partitions.ts'
import { probeRange } from '../disk/probe.ts'
import { GuestError } from '../guest.ts'
import type { Missing } from '../part.ts'
import { grubFiles } from './grub-files.ts'
import { type LogicalVolume, logicalVolumes } from './lvm.ts'
import { readLvmMember } from './lvm-member.ts'
import { openRange, type VolumeContext } from './open-range.ts'
import type { OpenVolume } from './volume.ts'

async function openOne(context: VolumeContext, volume: LogicalVolume): Promise<OpenVolume | undefined> {
  const { tools, disk, names } = context
  const { device, sizeBytes: length, start } = volume
  if (start !== undefined) {
    const probe = await probeRange(tools, await disk.whole(), start, length)
    if (probe.usage === 'raid') throw new GuestError('unsupported', `${device} is itself a part of another volume.`)
    return openRange(context, { start, length, device, probe })
  }
  // In several pieces no plain file shows it; GRUB's code puts it together by itself.
  const files = grubFiles({ tools, device: volume.grubName, place: () => disk.whole(), names })
  const reason = `${device} lies in several pieces, so its file system is neither named nor checked.`
  return {
    facts: { device, sizeBytes: length },
    files,
    missing: [{ pointer: '', code: 'unsupported', reason }],
    method: 'LVM metadata, grub-fstest',
  }
}

/** The volumes on logical volumes. What keeps the list from being complete stands in missing under /volumes. */
export async function openLogical(
  context: VolumeContext,
  members: readonly Range[],
): Promise<{ readonly volumes: readonly OpenVolume[]; readonly missing: readonly Missing[] }> {
  if (members.length === 0) return { volumes: [], missing: [] }
  try {
    const { guest } = context
    if (guest === undefined)
      throw new GuestError('unsupported', 'The metadata of LVM cannot be read in this container.')
    const read = await Promise.all(members.map((range) => readLvmMember(guest, range.start)))
    const opened = await Promise.allSettled(logicalVolumes(read).map((volume) => openOne(context, volume)))
    return {
      volumes: opened.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : [])),
      missing: opened.flatMap((one) => (one.status === 'rejected' ? [missingFrom(one.reason, '/volumes')] : [])),
    }
  } catch (error) {
    return { volumes: [], missing: [missingFrom(error, '/volumes')] }
  }
}
