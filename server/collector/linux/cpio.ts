import { GuestError } from '../guest.ts'

const headerBytes = 110
const maxNameBytes = 4096
const maxNames = 200_000

const padded = (bytes: number) => (4 - (bytes % 4)) % 4

/**
 * Reads the names in cpio archives of the newc form while the bytes come in; contents are skipped and never kept. Archives may
 * follow one another behind zeros. It stops at bytes that begin no archive, and says so by done.
 */
export class CpioNames {
  readonly names: string[] = []
  /** Bytes were reached that are no archive and no padding; offset is where they begin. */
  done = false
  offset = 0
  #held: Buffer = Buffer.alloc(0)
  #skip = 0
  #inArchive = false

  /** Takes the next bytes. */
  take(bytes: Buffer): void {
    let chunk = bytes
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, chunk.length)
      this.#skip -= skipped
      this.offset += skipped
      chunk = chunk.subarray(skipped)
    }
    if (chunk.length === 0 || this.done) return
    const held = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    const used = this.#parse(held)
    // Behind an archive that is not compressed may stand tens of megabytes that are none.
    this.#held = this.done ? Buffer.alloc(0) : Buffer.from(held.subarray(used))
  }

  /** Parses what is complete; gives how many bytes were used. */
  #parse(held: Buffer): number {
    let at = 0
    const advance = (bytes: number) => {
      const inside = Math.min(bytes, held.length - at)
      at += inside
      this.offset += inside
      this.#skip = bytes - inside
    }
    while (at < held.length && !this.done) {
      if (!this.#inArchive && held[at] === 0) {
        let end = at
        while (end < held.length && held[end] === 0) end += 1
        advance(end - at)
        continue
      }
      if (held.length - at < headerBytes) {
        const start = held.toString('latin1', at, Math.min(at + 5, held.length))
        if (!'07070'.startsWith(start)) this.#refuse()
        break
      }
      const magic = held.toString('latin1', at, at + 6)
      if (magic !== '070701' && magic !== '070702') {
        this.#refuse()
        break
      }
      const size = this.#field(held, at + 54)
      const nameSize = this.#field(held, at + 94)
      if (nameSize < 1 || nameSize > maxNameBytes)
        throw new GuestError('damaged', 'An initramfs holds a damaged entry.')
      if (held.length - at < headerBytes + nameSize) break
      const name = held.toString('utf8', at + headerBytes, at + headerBytes + nameSize - 1)
      this.#inArchive = name !== 'TRAILER!!!'
      if (this.#inArchive) this.names.push(name)
      if (this.names.length > maxNames) throw new GuestError('too-large', 'An initramfs holds too many files.')
      advance(headerBytes + nameSize + padded(headerBytes + nameSize) + size + padded(size))
    }
    return at
  }

  #field(held: Buffer, at: number): number {
    const text = held.toString('latin1', at, at + 8)
    if (!/^[0-9a-fA-F]{8}$/.test(text)) throw new GuestError('damaged', 'An initramfs holds a damaged entry.')
    return Number.parseInt(text, 16)
  }

  #refuse(): void {
    if (this.#inArchive) throw new GuestError('damaged', 'An archive in an initramfs ends before its trailer.')
    this.done = true
  }
}
