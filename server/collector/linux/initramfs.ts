import { GuestError, type Pieces } from '../guest.ts'
import { CpioNames } from './cpio.ts'
import type { Compression, Decompress } from './input.ts'
import { hasZstd, orDamaged, type PackedNames, packedNames, unpackedNames } from './packed-names.ts'

type Kind = Compression | 'gzip' | 'lz4'

const magics: readonly (readonly [hex: string, kind: Kind])[] = [
  ['1f8b', 'gzip'],
  ['1f9e', 'gzip'],
  ['28b52ffd', 'zstd'],
  ['fd377a585a00', 'xz'],
  ['5d0000', 'lzma'],
  ['425a68', 'bzip2'],
  ['894c5a4f000d0a', 'lzo'],
  ['02214c18', 'lz4'],
]

/** As many bytes as tell every compression. */
const magicBytes = 8

/** The compression that bytes begin with; undefined for another one or none. */
export function compressionOf(bytes: Buffer): Kind | undefined {
  return magics.find(([hex]) => bytes.subarray(0, hex.length / 2).toString('hex') === hex)?.[1]
}

async function namesInside(
  kind: Kind,
  pieces: Pieces,
  decompress: Decompress | undefined,
  own: PackedNames,
): Promise<string[]> {
  if (kind === 'gzip' || kind === 'lz4' || (kind === 'zstd' && hasZstd)) return own(kind, pieces)
  if (decompress === undefined) {
    throw new GuestError('unsupported', `The initramfs is compressed with ${kind}, which nothing here can undo.`)
  }
  return orDamaged(kind, async () => unpackedNames(decompress(kind, pieces)))
}

/** Takes the archives in front that are not compressed; gives what stands behind them, none when nothing does. */
async function* behindPlain(names: CpioNames, pieces: Pieces): AsyncGenerator<Buffer, void, void> {
  let last: Buffer = Buffer.alloc(0)
  let taken = 0
  for await (const piece of pieces) {
    if (names.done) {
      yield piece
      continue
    }
    names.take(piece)
    // What begins no archive may have been told so by the piece behind it.
    const joined = names.done && last.length > 0 ? Buffer.concat([last, piece]) : piece
    if (names.done) yield joined.subarray(Math.max(0, names.offset - (taken - last.length)))
    taken += piece.length
    last = piece
  }
}

/** The first bytes of pieces, as many as tell a compression, and all of them again. */
async function peek(pieces: AsyncGenerator<Buffer, void, void>): Promise<{ head: Buffer; all: Pieces }> {
  let head: Buffer = Buffer.alloc(0)
  while (head.length < magicBytes) {
    const { value, done } = await pieces.next()
    if (done || value === undefined) break
    head = head.length === 0 ? value : Buffer.concat([head, value])
  }
  const all = async function* () {
    yield head
    yield* pieces
  }
  return { head, all: all() }
}

/**
 * The names in an initramfs. In front may stand archives that are not compressed: the processor's microcode, and on some
 * systems modules. Undefined when the bytes are no initramfs.
 */
export async function initramfsNames(
  pieces: Pieces,
  decompress: Decompress | undefined,
  own: PackedNames = packedNames,
): Promise<string[] | undefined> {
  const plain = new CpioNames()
  const { head, all } = await peek(behindPlain(plain, pieces))
  if (!plain.done) return plain.names.length > 0 ? plain.names : undefined
  const kind = compressionOf(head)
  if (kind === undefined) return undefined
  // Where a compressed stream ends inside the file is not told; it is the last part in every known layout.
  const inside = await namesInside(kind, all, decompress, own)
  return inside.length > 0 ? [...plain.names, ...inside] : undefined
}
