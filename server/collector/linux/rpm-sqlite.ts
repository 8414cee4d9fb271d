import { GuestError } from '../guest.ts'
import type { Take } from './rpm-take.ts'

const magic = 'SQLite format 3\0'
const maxDepth = 32

const damaged = () => new GuestError('damaged', 'The rpm database is damaged.')

/** True for a database of SQLite. */
export function isSqlite(bytes: Buffer): boolean {
  return bytes.length >= 512 && bytes.toString('latin1', 0, 16) === magic
}

/** The pages that a write-ahead log holds and the database does not yet, of whole transactions only. */
export function logPages(log: Buffer, pageBytes: number): Map<number, Buffer> {
  const pages = new Map<number, Buffer>()
  if (log.length < 32 || (log.readUInt32BE(0) & ~1) !== 0x377f0682) return pages
  let open = new Map<number, Buffer>()
  for (let at = 32; at + 24 + pageBytes <= log.length; at += 24 + pageBytes) {
    // Frames of an older use of the log have other salts.
    if (log.compare(log, 16, 24, at + 8, at + 16) !== 0) break
    open.set(log.readUInt32BE(at), log.subarray(at + 24, at + 24 + pageBytes))
    if (log.readUInt32BE(at + 4) === 0) continue
    for (const [number, page] of open) pages.set(number, page)
    open = new Map()
  }
  return pages
}

interface Varint {
  readonly value: number
  readonly next: number
}

function varint(bytes: Buffer, start: number): Varint {
  let value = 0
  for (let at = start; at < start + 9; at++) {
    const byte = bytes[at]
    if (byte === undefined) throw damaged()
    if (at === start + 8) return { value: value * 256 + byte, next: at + 1 }
    value = value * 128 + (byte & 0x7f)
    if (byte < 0x80) return { value, next: at + 1 }
  }
  throw damaged()
}

const integerBytes = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0]

/** The first columns of a record as bytes; integers are read by whoever knows that they are. */
function columns(record: Buffer, most: number): Buffer[] {
  const head = varint(record, 0)
  let at = head.next
  let body = head.value
  const found: Buffer[] = []
  while (at < head.value && found.length < most) {
    const { value: type, next } = varint(record, at)
    at = next
    const length = type < 10 ? (integerBytes[type] ?? 0) : Math.floor((type - 12 - (type & 1)) / 2)
    if (body + length > record.length) throw damaged()
    found.push(record.subarray(body, body + length))
    body += length
  }
  return found
}

/** Reads tables of a SQLite file from its bytes: no code of the guest's schema is run, and nothing is written. */
class Reader {
  readonly #bytes: Buffer
  readonly #log: ReadonlyMap<number, Buffer>
  readonly #size: number
  readonly #usable: number
  readonly #take: Take
  #visited = 0

  constructor(bytes: Buffer, log: Buffer | undefined, take: Take) {
    this.#take = take
    const size = bytes.readUInt16BE(16)
    this.#size = size === 1 ? 65_536 : size
    if (this.#size < 512 || (this.#size & (this.#size - 1)) !== 0) throw damaged()
    this.#usable = this.#size - (bytes[20] ?? 0)
    this.#bytes = bytes
    this.#log = log ? logPages(log, this.#size) : new Map()
  }

  #page(number: number): Buffer {
    const page = this.#log.get(number) ?? this.#bytes.subarray((number - 1) * this.#size, number * this.#size)
    this.#visited += 1
    // Every page belongs to one place, so more visits than pages mean a circle.
    if (
      number < 1 ||
      page.length < this.#size ||
      this.#visited > 2 * (this.#bytes.length / this.#size) + this.#log.size + 64
    ) {
      throw damaged()
    }
    return page
  }

  #payload(page: Buffer, at: number, length: number): Buffer {
    this.#take(length)
    const most = this.#usable - 35
    if (length <= most) {
      if (at + length > page.length) throw damaged()
      return page.subarray(at, at + length)
    }
    const least = Math.floor(((this.#usable - 12) * 32) / 255) - 23
    const wanted = least + ((length - least) % (this.#usable - 4))
    const local = wanted <= most ? wanted : least
    if (at + local + 4 > page.length) throw damaged()
    const parts = [page.subarray(at, at + local)]
    let rest = length - local
    let next = page.readUInt32BE(at + local)
    while (rest > 0) {
      const more = this.#page(next)
      const used = Math.min(rest, this.#usable - 4)
      parts.push(more.subarray(4, 4 + used))
      rest -= used
      next = more.readUInt32BE(0)
    }
    return Buffer.concat(parts)
  }

  /** The records of a table, by the page at which it begins. */
  *records(root: number, depth = 0): Generator<Buffer> {
    if (depth > maxDepth) throw damaged()
    const page = this.#page(root)
    const head = root === 1 ? 100 : 0
    const kind = page[head]
    const count = page.readUInt16BE(head + 3)
    const cells = head + (kind === 5 ? 12 : 8)
    if ((kind !== 5 && kind !== 13) || cells + count * 2 > page.length) throw damaged()
    for (let index = 0; index < count; index++) {
      const at = page.readUInt16BE(cells + index * 2)
      if (at + 4 > page.length) throw damaged()
      if (kind === 5) yield* this.records(page.readUInt32BE(at), depth + 1)
      else {
        const length = varint(page, at)
        yield this.#payload(page, varint(page, length.next).next, length.value)
      }
    }
    if (kind === 5) yield* this.records(page.readUInt32BE(head + 8), depth + 1)
  }
}

/** The packages of an rpm database in SQLite: the second column of its table Packages. */
export function* sqliteValues(bytes: Buffer, log: Buffer | undefined, take: Take): Generator<Buffer> {
  const reader = new Reader(bytes, log, take)
  for (const record of reader.records(1)) {
    const [type, name, , root] = columns(record, 4)
    if (type?.toString() !== 'table' || name?.toString() !== 'Packages' || root === undefined) continue
    const page = root.length > 0 && root.length <= 6 ? root.readUIntBE(0, root.length) : 0
    for (const row of reader.records(page)) {
      const blob = columns(row, 2)[1]
      if (blob !== undefined) yield blob
    }
    return
  }
}
