import { GuestError } from '../guest.ts'
import type { LvmMember } from './lvm-member.ts'
import { type LvmSection, numberOf, parseLvmText, sectionOf } from './lvm-text.ts'

/** A logical volume. */
export interface LogicalVolume {
  /** As /dev/mapper names it. */
  readonly device: string
  /** As GRUB names it. */
  readonly grubName: string
  /** Unit: bytes. */
  readonly sizeBytes: number
  /** Where it begins on the disk, when it lies there in one piece. */
  readonly start?: number
}

/** A piece of a logical volume: where it begins on the disk, or undefined when it does not lie there plainly. */
interface Piece {
  readonly start: number | undefined
  readonly length: number
}

const plainName = /^[A-Za-z0-9+_.][A-Za-z0-9+_.-]{0,126}$/
const doubled = (name: string) => name.replaceAll('-', '--')

/** Where each physical volume's extents begin on the disk, by the name that the metadata gives it. */
function extentStarts(group: LvmSection, members: readonly LvmMember[]): ReadonlyMap<string, number> {
  const starts = new Map<string, number>()
  for (const [name, value] of sectionOf(group, 'physical_volumes') ?? []) {
    const volume = value instanceof Map ? value : undefined
    const id = String(volume?.get('id') ?? '').replaceAll('-', '')
    const first = numberOf(volume, 'pe_start')
    const member = members.find((one) => one.id === id)
    if (member && first !== undefined) starts.set(name, member.start + first * 512)
  }
  return starts
}

function pieceOf(segment: LvmSection, extentBytes: number, starts: ReadonlyMap<string, number>): Piece {
  const length = (numberOf(segment, 'extent_count') ?? 0) * extentBytes
  const stripes = segment.get('stripes')
  const linear = segment.get('type') === 'striped' && numberOf(segment, 'stripe_count') === 1
  if (!linear || !Array.isArray(stripes)) return { start: undefined, length }
  const [name, extent] = stripes
  const base = typeof name === 'string' ? starts.get(name) : undefined
  const start = base === undefined || typeof extent !== 'number' ? undefined : base + extent * extentBytes
  return { start, length }
}

function volumeOf(
  names: { group: string; volume: string },
  section: LvmSection,
  extentBytes: number,
  starts: ReadonlyMap<string, number>,
): LogicalVolume {
  const segments = [...section].filter(([name]) => /^segment\d+$/.test(name)).map(([, value]) => value)
  const found = segments.flatMap((value) => (value instanceof Map ? [pieceOf(value, extentBytes, starts)] : []))
  const sizeBytes = found.reduce((sum, piece) => sum + piece.length, 0)
  let next = found[0]?.start
  let plain = next !== undefined
  for (const piece of found) {
    plain &&= piece.start !== undefined && piece.start === next
    next = next === undefined ? undefined : next + piece.length
  }
  const start = plain ? found[0]?.start : undefined
  const name = `${doubled(names.group)}-${doubled(names.volume)}`
  const described = { device: `/dev/mapper/${name}`, grubName: `(lvm/${name})`, sizeBytes }
  return start === undefined ? described : { ...described, start }
}

/** The visible logical volumes of all groups whose members were read. Throws a GuestError for metadata that is no text of LVM. */
export function logicalVolumes(members: readonly LvmMember[]): LogicalVolume[] {
  const volumes = new Map<string, LogicalVolume>()
  for (const { text } of members) {
    for (const [group, value] of parseLvmText(text)) {
      if (!(value instanceof Map)) continue
      const extentBytes = (numberOf(value, 'extent_size') ?? 0) * 512
      const starts = extentStarts(value, members)
      for (const [volume, section] of sectionOf(value, 'logical_volumes') ?? []) {
        if (!(section instanceof Map)) continue
        const status = section.get('status')
        if (!Array.isArray(status) || !status.includes('VISIBLE')) continue
        if (!plainName.test(group) || !plainName.test(volume))
          throw new GuestError('refused', 'A logical volume has a name that LVM does not allow.')
        const found = volumeOf({ group, volume }, section, extentBytes, starts)
        volumes.set(found.device, found)
      }
    }
  }
  return [...volumes.values()]
}
