import { GuestError } from '../guest.ts'
import type { Take } from './rpm-take.ts'

const hashMagic = 0x00061561
const metaPage = 8
const hashPages = new Set([2, 13])
const overflowPage = 7
const pageHeader = 26
const maxBlobBytes = 64 * 1_048_576

/** True for a database of Berkeley DB's hash form, in either order of bytes. */
export function isBerkeleyHash(bytes: Buffer): boolean {
  return bytes.length >= 512 && (bytes.readUInt32LE(12) === hashMagic || bytes.readUInt32BE(12) === hashMagic)
}

/** The values of a Berkeley DB hash: the packages of an rpm database. Short ones are the database's own counters. */
export function* berkeleyValues(bytes: Buffer, take: Take): Generator<Buffer> {
  const little = bytes.readUInt32LE(12) === hashMagic
  const u32 = (at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  const u16 = (at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const size = u32(20)
  if (bytes[25] !== metaPage || size < 512 || size > 65_536 || (size & (size - 1)) !== 0) {
    throw new GuestError('damaged', 'The rpm database has a damaged first page.')
  }
  const pages = Math.floor(bytes.length / size)

  const overflow = (first: number, length: number): Buffer => {
    if (length > maxBlobBytes) throw new GuestError('too-large', 'A package in the rpm database is too large.')
    const parts: Buffer[] = []
    let got = 0
    for (let page = first, seen = 0; page !== 0 && got < length; seen++) {
      if (page >= pages || seen > pages || bytes[page * size + 25] !== overflowPage) {
        throw new GuestError('damaged', 'The rpm database has a damaged chain of pages.')
      }
      take(size)
      const start = page * size
      const used = Math.min(u16(start + 22), size - pageHeader)
      parts.push(bytes.subarray(start + pageHeader, start + pageHeader + used))
      got += used
      page = u32(start + 16)
    }
    if (got < length) throw new GuestError('damaged', 'The rpm database ends within a package.')
    return Buffer.concat(parts, length)
  }

  for (let page = 1; page < pages; page++) {
    const start = page * size
    if (!hashPages.has(bytes[start + 25] ?? 0)) continue
    const count = u16(start + 20)
    if (count > (size - pageHeader) / 2) throw new GuestError('damaged', 'The rpm database has a damaged page.')
    const offset = (index: number) => u16(start + pageHeader + index * 2)
    // Items come in pairs, key and value, and lie from the page's end to its middle.
    for (let index = 1; index < count; index += 2) {
      const at = offset(index)
      const end = offset(index - 1)
      if (at + 1 > size || end > size) throw new GuestError('damaged', 'The rpm database has a damaged page.')
      const kind = bytes[start + at]
      if (kind === 3 && at + 12 <= size) yield overflow(u32(start + at + 4), u32(start + at + 8))
      else if (kind === 1 && end > at + 1) {
        take(end - at)
        yield bytes.subarray(start + at + 1, start + end)
      }
    }
  }
}
