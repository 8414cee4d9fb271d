import { GuestError, type Pieces } from '../guest.ts'

const damaged = () => new GuestError('damaged', 'The LZ4 data of an initramfs is damaged.')

/** Up to so many bytes a loop is faster than a call. */
const shortCopy = 32

/** Undoes one LZ4 block into a buffer of at most so many bytes; gives how many were written. */
export function lz4Block(source: Buffer, target: Buffer): number {
  let [from, to] = [0, 0]
  const length = (short: number): number => {
    let value = short
    if (short !== 15) return value
    for (;;) {
      const more = source[from]
      if (more === undefined) throw damaged()
      from += 1
      value += more
      if (more !== 255) return value
    }
  }
  while (from < source.length) {
    const token = source[from] ?? 0
    from += 1
    const literals = length(token >> 4)
    if (from + literals > source.length || to + literals > target.length) throw damaged()
    if (literals > shortCopy) source.copy(target, to, from, from + literals)
    else for (let at = 0; at < literals; at++) target[to + at] = source[from + at] ?? 0
    from += literals
    to += literals
    if (from >= source.length) return to
    if (from + 2 > source.length) throw damaged()
    const distance = source.readUInt16LE(from)
    from += 2
    const matched = length(token & 15) + 4
    if (distance === 0 || distance > to || to + matched > target.length) throw damaged()
    if (distance >= matched && matched > shortCopy) target.copyWithin(to, to - distance, to - distance + matched)
    else for (let at = 0; at < matched; at++) target[to + at] = target[to + at - distance] ?? 0
    to += matched
  }
  return to
}

const legacyMagic = 0x184c2102
const legacyBlockBytes = 8 * 1_048_576

/** The most that a block takes which cannot be made smaller. Unit: bytes. */
const packedBlockBytes = legacyBlockBytes + Math.ceil(legacyBlockBytes / 255) + 16

/** Gives so many bytes of pieces at a time; undefined when that many do not follow. */
function taker(pieces: Pieces): (size: number) => Promise<Buffer | undefined> {
  const source = (async function* () {
    yield* pieces
  })()
  let held: Buffer = Buffer.alloc(0)
  return async (size) => {
    const parts = [held]
    let length = held.length
    while (length < size) {
      const { value, done } = await source.next()
      if (done || value === undefined) return undefined
      parts.push(value)
      length += value.length
    }
    const all = parts.length === 1 ? held : Buffer.concat(parts)
    held = all.subarray(size)
    return all.subarray(0, size)
  }
}

/** Undoes the legacy LZ4 form, which the kernel wants of an initramfs: blocks of up to 8 MiB behind their compressed sizes. */
export async function* lz4Legacy(pieces: Pieces): AsyncGenerator<Buffer, void, void> {
  const take = taker(pieces)
  // One buffer for all blocks: whoever takes one keeps nothing of it.
  const target = Buffer.allocUnsafe(legacyBlockBytes)
  await take(4)
  for (let head = await take(4); head !== undefined; head = await take(4)) {
    const size = head.readUInt32LE()
    // Another archive may follow, with the same mark, or the padding of the image.
    if (size === legacyMagic) continue
    if (size === 0) return
    const block = size > packedBlockBytes ? undefined : await take(size)
    if (block === undefined) throw damaged()
    yield target.subarray(0, lz4Block(block, target))
  }
}
