import { GuestError } from '../guest.ts'
import type { Take } from './rpm-take.ts'

const word = (text: string) => Buffer.from(text, 'latin1').readUInt32LE(0)
const headerMagic = word('RpmP')
const slotMagic = word('Slot')
const blobMagic = word('BlbS')
const pageBytes = 4096
const slotBytes = 16
const blockBytes = 16
const firstSlot = 2

/** True for a database of rpm's own form. */
export function isNdb(bytes: Buffer): boolean {
  return bytes.length >= pageBytes && bytes.readUInt32LE(0) === headerMagic
}

/** The packages of a database of rpm's own form: pages of slots, each of which points to a blob. */
export function* ndbValues(bytes: Buffer, take: Take): Generator<Buffer> {
  const slots = (bytes.readUInt32LE(12) * pageBytes) / slotBytes
  if (slots < firstSlot || slots * slotBytes > bytes.length) {
    throw new GuestError('damaged', 'The rpm database has a damaged head.')
  }
  for (let slot = firstSlot; slot < slots; slot++) {
    const at = slot * slotBytes
    const [index, block] = [bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8)]
    if (bytes.readUInt32LE(at) !== slotMagic) throw new GuestError('damaged', 'The rpm database has a damaged slot.')
    if (index === 0 || block === 0) continue
    const start = block * blockBytes
    if (
      start + 16 > bytes.length ||
      bytes.readUInt32LE(start) !== blobMagic ||
      bytes.readUInt32LE(start + 4) !== index
    ) {
      throw new GuestError('damaged', 'The rpm database has a damaged package.')
    }
    const length = bytes.readUInt32LE(start + 12)
    if (start + 16 + length > bytes.length) throw new GuestError('damaged', 'The rpm database ends within a package.')
    take(16 + length)
    yield bytes.subarray(start + 16, start + 16 + length)
  }
}
