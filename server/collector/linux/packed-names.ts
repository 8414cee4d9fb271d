import { Duplex, pipeline, Readable } from 'node:stream'
import zlib from 'node:zlib'
import { GuestError, type Pieces } from '../guest.ts'
import { CpioNames } from './cpio.ts'
import { lz4Legacy } from './lz4.ts'

/** No initramfs that a distribution makes is near this size when it is unpacked. */
const maxUnpackedBytes = 512 * 1_048_576

/** Compressions that need no program; zstd only where Node has it, from 22.15 on. */
export type OwnCompression = 'gzip' | 'lz4' | 'zstd'

/** Reads the names in an archive whose compression needs no program. Rejects with a GuestError. */
export type PackedNames = (kind: OwnCompression, pieces: Pieces) => Promise<string[]>

/** Whether this Node undoes zstd. */
export const hasZstd = 'createZstdDecompress' in zlib

function zstdStream(): Duplex {
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress')
  const made: unknown = typeof create === 'function' ? Reflect.apply(create, undefined, []) : undefined
  if (made instanceof Duplex) return made
  throw new GuestError('unsupported', 'This Node cannot undo zstd.')
}

/** A decoder's output for what comes in pieces; a failure of either side reaches whoever reads. */
export function streamed(pieces: Pieces, decoder: Duplex): AsyncIterable<Buffer> {
  return pipeline(Readable.from(pieces), decoder, () => undefined)
}

/** Undoes gzip; what it gives may hold only until the next is asked for. */
export type Gunzip = (pieces: Pieces) => Pieces

const gunzip: Gunzip = (pieces) => streamed(pieces, zlib.createGunzip({ chunkSize: 1_048_576 }))

function unpacked(kind: OwnCompression, pieces: Pieces, own: Gunzip): Pieces {
  if (kind === 'gzip') return own(pieces)
  return kind === 'lz4' ? lz4Legacy(pieces) : streamed(pieces, zstdStream())
}

/** The names in an archive that is unpacked already; what stands behind a whole archive is no damage. Throws a GuestError. */
export async function unpackedNames(source: Pieces): Promise<string[]> {
  const names = new CpioNames()
  let total = 0
  for await (const chunk of source) {
    total += chunk.length
    if (total > maxUnpackedBytes) throw new GuestError('too-large', 'The initramfs is too large when it is unpacked.')
    names.take(chunk)
    if (names.done) break
  }
  return names.names
}

/** Has names read; what fails without a GuestError becomes one: damaged. */
export async function orDamaged(kind: string, names: () => Promise<string[]>): Promise<string[]> {
  try {
    return await names()
  } catch (error) {
    if (error instanceof GuestError) throw error
    throw new GuestError('damaged', `The ${kind} data of the initramfs is damaged.`)
  }
}

/** The names in a compressed archive. Rejects with a GuestError, damaged for what cannot be undone. */
export function packedNames(kind: OwnCompression, pieces: Pieces, own: Gunzip = gunzip): Promise<string[]> {
  return orDamaged(kind, async () => unpackedNames(unpacked(kind, pieces, own)))
}
