import type { Volume } from '../../documents/facts.ts'
import { contentOf } from '../disk/content.ts'
import { missingFrom, type Range } from '../disk/partitions.ts'
import type { Missing } from '../part.ts'
import { openLogical } from './open-logical.ts'
import { openRange, type VolumeContext } from './open-range.ts'
import type { OpenVolume } from './volume.ts'

/** The volumes of an image: those of partitions in the order of their start, then logical ones. */
export interface Volumes {
  readonly volumes: readonly OpenVolume[]
  /** False when there may be volumes that are not in the list; the fact document then leaves the list out. */
  readonly complete: boolean
  readonly missing: readonly Missing[]
}

/** What the checks of volumes tell when all have ended: facts in the order of the volumes, and pointers that count in it. */
export async function checksOf(
  volumes: readonly OpenVolume[],
): Promise<{ readonly facts: readonly Volume[]; readonly missing: readonly Missing[] }> {
  const checks = await Promise.all(volumes.map(({ checking }) => checking))
  return {
    facts: checks.map((check) => check?.facts ?? {}),
    missing: placed(checks.map((check) => check?.missing ?? [])),
  }
}

/** Pointers within each volume, as pointers of the list. */
function placed(missing: readonly (readonly Missing[])[]): Missing[] {
  return missing.flatMap((entries, index) =>
    entries.map((one) => ({ ...one, pointer: `/volumes/${index}${one.pointer}` })),
  )
}

/** Why a range may hold volumes that nothing here can see; undefined when it holds none or they are seen. */
function hidden(range: Range): Missing | undefined {
  const pointer = '/volumes'
  if (range.probe === undefined)
    return { pointer, code: 'unreadable', reason: `What ${range.device} holds could not be told.` }
  if (range.probe.type === 'LVM2_member') return undefined
  const entry = { number: range.partition ?? 1, start: range.start, length: range.length }
  const content = contentOf(entry, range.probe)
  if (content === 'raid' || content === 'lvm')
    return { pointer, code: 'unsupported', reason: `${range.device} is a member of ${range.probe.type ?? 'an array'}.` }
  if (content === 'container')
    return { pointer, code: 'unsupported', reason: `${range.device} holds a partition table of its own.` }
  return undefined
}

/** Opens every volume. What fails becomes a missing entry, and the rest goes on. */
export async function openVolumes(context: VolumeContext, ranges: readonly Range[]): Promise<Volumes> {
  const members = ranges.filter((range) => range.probe?.type === 'LVM2_member')
  const [plain, logical] = await Promise.all([
    Promise.allSettled(ranges.map((range) => openRange(context, range))),
    openLogical(context, members),
  ])
  const unseen = ranges.flatMap((range) => hidden(range) ?? [])
  const failed = plain.flatMap((one) => (one.status === 'rejected' ? [missingFrom(one.reason, '/volumes')] : []))
  const incomplete = [...unseen, ...failed, ...logical.missing]
  const volumes = plain.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : []))
  const all = [...volumes, ...logical.volumes]
  const own = placed(all.map((volume) => volume.missing))
  return { volumes: all, complete: incomplete.length === 0, missing: [...incomplete, ...own] }
}
