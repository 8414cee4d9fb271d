import { Duplex, Readable } from 'node:stream'
import zlib from 'node:zlib'
import { GuestError } from '../guest.ts'
import { CpioNames } from './cpio.ts'
import type { Compression, Decompress } from './input.ts'
import { lz4Legacy } from './lz4.ts'

/** No initramfs that a distribution makes is near this size when it is unpacked. */
const maxUnpackedBytes = 512 * 1_048_576

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

/** The compression that bytes begin with; undefined for another one or none. */
export function compressionOf(bytes: Buffer): Kind | undefined {
  return magics.find(([hex]) => bytes.subarray(0, hex.length / 2).toString('hex') === hex)?.[1]
}

/** Node's own decoder of zstd, which it has from 22.15 on. */
function zstdStream(): Duplex | undefined {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress')
  const made: unknown = typeof create === 'function' ? Reflect.apply(create, undefined, []) : undefined
  return made instanceof Duplex ? made : undefined
}

function unpacked(
  kind: Kind,
  bytes: Buffer,
  decompress: Decompress | undefined,
): AsyncIterable<Buffer> | Iterable<Buffer> {
  if (kind === 'gzip') return Readable.from([bytes]).pipe(zlib.createGunzip({ chunkSize: 1_048_576 }))
  if (kind === 'lz4') return lz4Legacy(bytes)
  const own = kind === 'zstd' ? zstdStream() : undefined
  if (own) return Readable.from([bytes]).pipe(own)
  if (decompress === undefined) {
    throw new GuestError('unsupported', `The initramfs is compressed with ${kind}, which nothing here can undo.`)
  }
  return decompress(kind, bytes)
}

/** Reads a compressed archive's names; what stands behind a whole archive is no damage. */
async function readCompressed(names: CpioNames, source: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
  let total = 0
  for await (const chunk of source) {
    total += chunk.length
    if (total > maxUnpackedBytes) throw new GuestError('too-large', 'The initramfs is too large when it is unpacked.')
    names.take(chunk)
    if (names.done) return
  }
}

/**
 * The names in an initramfs. In front may stand archives that are not compressed: the processor's microcode, and on some
 * systems modules. Undefined when the bytes are no initramfs.
 */
export async function initramfsNames(bytes: Buffer, decompress: Decompress | undefined): Promise<string[] | undefined> {
  const plain = new CpioNames()
  plain.take(bytes)
  if (!plain.done) return plain.names.length > 0 ? plain.names : undefined
  const rest = bytes.subarray(plain.offset)
  const kind = compressionOf(rest)
  if (kind === undefined) return undefined
  // Where a compressed stream ends inside the file is not told; it is the last part in every known layout.
  const inside = new CpioNames()
  try {
    await readCompressed(inside, unpacked(kind, rest, decompress))
  } catch (error) {
    if (error instanceof GuestError) throw error
    throw new GuestError('damaged', `The ${kind} data of the initramfs is damaged.`)
  }
  return inside.names.length > 0 ? [...plain.names, ...inside.names] : undefined
}
