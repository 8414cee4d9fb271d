import { GuestError } from '../guest.ts'
import type { Package } from './dpkg.ts'
import type { Packaged } from './packaged.ts'

const maxEntries = 65_536
const maxFiles = 500_000
/** Of a package's name, version or release. Unit: bytes. */
const maxTextBytes = 256

/** Tags of a header, by rpm's numbers. */
const tags = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  fileNames: 1027,
  fileStates: 1029,
  fileModes: 1030,
  fileDigests: 1035,
  fileFlags: 1037,
  directoryIndexes: 1116,
  baseNames: 1117,
  directoryNames: 1118,
  digestAlgorithm: 5011,
} as const

const known: ReadonlySet<number> = new Set(Object.values(tags))

const algorithms: ReadonlyMap<number, Packaged['algorithm']> = new Map([
  [1, 'md5'],
  [2, 'sha1'],
  [8, 'sha256'],
  [9, 'sha384'],
  [10, 'sha512'],
])

const config = 1 << 0
const ghost = 1 << 6
const regular = 0o100000
const typeMask = 0o170000
/** Installed by this package, and not replaced by another's or left out. */
const normalState = 0

interface Entry {
  readonly type: number
  readonly offset: number
  readonly count: number
}

/** One package of an rpm database: two counts, an index of 16 bytes an entry, then the data. */
export class RpmHeader {
  readonly #bytes: Buffer
  readonly #data: number
  readonly #entries = new Map<number, Entry>()

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    if (bytes.length < 8) throw new GuestError('damaged', 'A package in the rpm database is too short.')
    const count = bytes.readUInt32BE(0)
    this.#data = 8 + count * 16
    if (count > maxEntries || this.#data + bytes.readUInt32BE(4) > bytes.length) {
      throw new GuestError('damaged', 'A package in the rpm database has a damaged index.')
    }
    for (let at = 8; at < this.#data; at += 16) {
      const [tag, type] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
      if (!known.has(tag) || this.#entries.has(tag)) continue
      this.#entries.set(tag, { type, offset: bytes.readUInt32BE(at + 8), count: bytes.readUInt32BE(at + 12) })
    }
  }

  #text(tag: number): string | undefined {
    const entry = this.#entries.get(tag)
    if (entry === undefined || ![6, 8, 9].includes(entry.type)) return undefined
    const start = this.#data + entry.offset
    const length = this.#bytes.subarray(start, start + maxTextBytes).indexOf(0)
    if (length < 0) throw new GuestError('damaged', 'A package in the rpm database has a damaged name.')
    return this.#bytes.toString('utf8', start, start + length)
  }

  #strings(tag: number): string[] {
    const entry = this.#entries.get(tag)
    if (entry === undefined || ![6, 8, 9].includes(entry.type) || entry.count > maxFiles) return []
    const found: string[] = []
    let at = this.#data + entry.offset
    for (let index = 0; index < entry.count; index++) {
      const end = this.#bytes.indexOf(0, at)
      if (end < 0) throw new GuestError('damaged', 'A package in the rpm database has a damaged string.')
      found.push(this.#bytes.toString('utf8', at, end))
      at = end + 1
    }
    return found
  }

  #numbers(tag: number): number[] {
    const entry = this.#entries.get(tag)
    if (entry === undefined || entry.count > maxFiles) return []
    const width = entry.type === 3 ? 2 : entry.type === 4 ? 4 : entry.type <= 2 ? 1 : 0
    const start = this.#data + entry.offset
    if (width === 0 || start + entry.count * width > this.#bytes.length) return []
    return Array.from({ length: entry.count }, (_, index) => this.#bytes.readUIntBE(start + index * width, width))
  }

  /** Name and version, with epoch and release as rpm prints them. */
  package(): Package | undefined {
    const [name, version, release] = [tags.name, tags.version, tags.release].map((tag) => this.#text(tag))
    const [epoch] = this.#numbers(tags.epoch)
    if (name === undefined || version === undefined) return undefined
    return { name, version: `${epoch ? `${epoch}:` : ''}${version}${release === undefined ? '' : `-${release}`}` }
  }

  /** Regular files that are neither configuration nor ghost, with their digests, one at a time: a few bytes may name many long paths. */
  *packaged(): Generator<Packaged> {
    const algorithm = algorithms.get(this.#numbers(tags.digestAlgorithm)[0] ?? 1)
    if (algorithm === undefined) return
    const directories = this.#strings(tags.directoryNames)
    const indexes = this.#numbers(tags.directoryIndexes)
    const bases = this.#strings(tags.baseNames)
    const names = bases.length > 0 ? bases : this.#strings(tags.fileNames)
    const digests = this.#strings(tags.fileDigests)
    const [modes, flags, states] = [tags.fileModes, tags.fileFlags, tags.fileStates].map((tag) => this.#numbers(tag))
    for (const [index, name] of names.entries()) {
      const digest = digests[index] ?? ''
      const plain = ((modes?.[index] ?? 0) & typeMask) === regular && ((flags?.[index] ?? 0) & (config | ghost)) === 0
      const installed = (states?.[index] ?? normalState) === normalState
      if (!plain || !installed || digest === '') continue
      const path = bases.length > 0 ? `${directories[indexes[index] ?? -1] ?? ''}${name}` : name
      if (path.startsWith('/')) yield { path, algorithm, digest }
    }
  }
}
