import { GuestError } from '../guest.ts'
import type { GuestRead } from '../sniff/result.ts'

/** A physical volume: its own identifier and the text of its group. */
export interface LvmMember {
  readonly id: string
  /** Where it begins on the disk. Unit: bytes. */
  readonly start: number
  readonly text: string
}

/** The longest metadata text that is read. Unit: bytes. */
const longestText = 1_048_576

const broken = () => new GuestError('damaged', 'The label of the physical volume cannot be read.')

/** Reads the label and the metadata of a physical volume. Throws a GuestError. */
export async function readLvmMember(guest: GuestRead, start: number): Promise<LvmMember> {
  const read = async (offset: number, length: number) => {
    const bytes = await guest(start + offset, length)
    if (bytes === undefined || bytes.length < length) throw broken()
    return bytes
  }
  const head = await read(0, 2048)
  const label = [0, 512, 1024, 1536].find((at) => head.toString('latin1', at, at + 8) === 'LABELONE')
  if (label === undefined) throw broken()
  const header = label + head.readUInt32LE(label + 20)
  if (header + 40 > label + 512) throw broken()
  const id = head.toString('latin1', header, header + 32)
  const areas: { offset: number; size: number }[][] = [[], []]
  let at = header + 40
  for (const list of areas) {
    for (; at + 16 <= label + 512; at += 16) {
      const offset = Number(head.readBigUInt64LE(at))
      if (offset === 0) break
      list.push({ offset, size: Number(head.readBigUInt64LE(at + 8)) })
    }
    at += 16
  }
  const area = areas[1]?.[0]
  if (area === undefined) throw new GuestError('unsupported', 'The physical volume holds no metadata of its group.')
  const ring = await read(area.offset, 512)
  if (ring.toString('latin1', 4, 20) !== ' LVM2 x[5A%r0N*>') throw broken()
  const offset = Number(ring.readBigUInt64LE(40))
  const size = Number(ring.readBigUInt64LE(48))
  if (offset < 512 || offset >= area.size || size > longestText || size === 0) throw broken()
  // The text runs around the end of its area to the first sector behind the header.
  const first = await read(area.offset + offset, Math.min(size, area.size - offset))
  const rest = first.length < size ? await read(area.offset + 512, size - first.length) : Buffer.alloc(0)
  return { id, start, text: Buffer.concat([first, rest]).toString('latin1').replace(/\0.*$/s, '') }
}
