import type { Bytes } from './bytes.ts'
import { wide } from './fields.ts'
import { qcow2Reader } from './qcow2-guest.ts'
import { damaged, type Refusal, type Sniffed } from './result.ts'

const incompatible = { dirty: 1n, corrupt: 2n, externalData: 4n, compression: 8n, extendedL2: 16n } as const
const knownIncompatible = Object.values(incompatible).reduce((sum, bit) => sum | bit, 0n)
const externalDataName = 0x44415441
const encryptionHeader = 0x0537be77

/** Types of the header's extensions, which begin behind the header and end with type 0. */
async function extensionTypes(file: Bytes, start: number, clusterSize: number): Promise<ReadonlySet<number>> {
  const area = await file.read(0, Math.min(clusterSize, 65_536))
  const types = new Set<number>()
  for (let at = start; at + 8 <= area.length; ) {
    const type = area.readUInt32BE(at)
    if (type === 0) break
    types.add(type)
    at += 8 + Math.ceil(area.readUInt32BE(at + 4) / 8) * 8
  }
  return types
}

function refusalOf(header: {
  backing: boolean
  external: boolean
  encrypted: boolean
  features: bigint
  bits: number
  version: number
}): Refusal | undefined {
  if (header.version > 3) return damaged(`QCOW version ${header.version} does not exist.`)
  if (header.backing)
    return { code: 'refused', reason: 'The QCOW2 names a backing file, which holds the blocks that it lacks.' }
  if (header.external) return { code: 'refused', reason: 'The QCOW2 keeps its data in another file.' }
  if (header.encrypted) return { code: 'encrypted', reason: 'The QCOW2 itself is encrypted.' }
  if ((header.features & ~knownIncompatible) !== 0n)
    return { code: 'unsupported', reason: 'The QCOW2 uses an incompatible feature that is not known.' }
  if ((header.features & incompatible.corrupt) !== 0n) return damaged('The QCOW2 is marked as corrupt.')
  if (header.bits < 9 || header.bits > 21) return damaged(`A QCOW2 cannot have clusters of 2^${header.bits} bytes.`)
  return undefined
}

/** Reads a QCOW2 header (version 2 or 3). */
export async function sniffQcow2(file: Bytes): Promise<Sniffed> {
  const head = await file.read(0, 512)
  if (head.length < 72) return { image: { format: 'qcow2' }, refusal: damaged('The QCOW2 header is cut off.') }
  const version = head.readUInt32BE(4)
  const bits = head.readUInt32BE(20)
  const features = version >= 3 && head.length >= 112 ? head.readBigUInt64BE(72) : 0n
  const headerLength = version >= 3 && head.length >= 112 ? head.readUInt32BE(100) : 72
  const sane = bits >= 9 && bits <= 21 && headerLength >= 72
  const extensions = sane ? await extensionTypes(file, headerLength, 2 ** bits) : new Set<number>()
  const backing = head.readBigUInt64BE(8) !== 0n || head.readUInt32BE(16) !== 0
  const external = (features & incompatible.externalData) !== 0n || extensions.has(externalDataName)
  const encrypted = head.readUInt32BE(32) !== 0 || extensions.has(encryptionHeader)
  const sizeBytes = wide(head, 24)
  const container = {
    backingFile: backing,
    externalDataFile: external,
    encrypted,
    ...(version === 2 ? { compatibility: '0.10' } : version === 3 ? { compatibility: '1.1' } : {}),
  }
  const image = { format: 'qcow2', virtualSizeBytes: sizeBytes, container } as const
  const refusal = refusalOf({ backing, external, encrypted, features, bits, version })
  if (refusal) return { image, refusal }
  const guest = qcow2Reader(file, {
    clusterBits: bits,
    sizeBytes,
    l1Entries: head.readUInt32BE(36),
    l1Offset: wide(head, 40),
    // Compression other than deflate, and subclusters, are left to QEMU.
    deflate: (features & incompatible.compression) === 0n,
    plain: (features & incompatible.extendedL2) === 0n,
  })
  return { image, layout: { driver: 'qcow2', sizeBytes }, guest }
}
