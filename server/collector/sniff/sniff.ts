import type { Bytes } from './bytes.ts'
import { containerMagic, hasPartitionSignature, isArchive, isIso } from './magic.ts'
import { sniffNamed } from './named.ts'
import { sniffQcow2 } from './qcow2.ts'
import { damaged, type Refusal, type Sniffed, selfContained } from './result.ts'
import { footerAtEnd, sniffVhd } from './vhd.ts'

/** A disk above this is taken for an attack: 64 TiB. Unit: bytes. */
const largestDisk = 2 ** 46

async function sniffRaw(file: Bytes, head: Buffer): Promise<Sniffed> {
  if (file.size % 512 !== 0 || !hasPartitionSignature(head)) {
    const reason =
      file.size % 512 === 0
        ? 'The content matches no known format, and no MBR or GPT signature makes it a raw disk.'
        : 'The content matches no known format, and a raw disk would be a multiple of 512 bytes long.'
    return { image: {}, refusal: { code: 'unsupported', reason } }
  }
  return {
    image: { format: 'raw', virtualSizeBytes: file.size, container: selfContained },
    layout: { driver: 'raw', sizeBytes: file.size },
    guest: (offset, length) => file.read(offset, length),
  }
}

async function sniffFormat(file: Bytes): Promise<Sniffed> {
  const head = await file.read(0, 1024)
  const magic = containerMagic(head)
  if (magic === 'qcow2') return sniffQcow2(file)
  if (magic === 'vhd') return sniffVhd(file)
  if (magic !== undefined) return sniffNamed(file, magic)
  if (isArchive(head)) return sniffNamed(file, 'archive')
  if (await footerAtEnd(file)) return sniffVhd(file)
  if (isIso(await file.read(0x8000, 512))) return sniffNamed(file, 'iso')
  return sniffRaw(file, head)
}

/** Why the disk inside must not be shown to a program that probes; none for an ordinary disk. */
async function refusalInside(sniffed: Sniffed): Promise<Refusal | undefined> {
  const size = sniffed.image.virtualSizeBytes ?? 0
  if (size > largestDisk)
    return { code: 'refused', reason: `The image claims a disk of ${size} bytes, which is above 64 TiB.` }
  if (size === 0) return damaged('The image claims a disk of no bytes.')
  const sector = await sniffed.guest?.(0, 512)
  const nested = sector && containerMagic(sector)
  if (nested === undefined) return undefined
  return { code: 'refused', reason: `The first sector of the disk itself begins like a ${nested} container.` }
}

/** Finds out from the bytes alone what an image is and whether another program may open it. */
export async function sniff(file: Bytes): Promise<Sniffed> {
  const found = await sniffFormat(file)
  const { virtualSizeBytes, ...rest } = found.image
  const size = Number.isSafeInteger(virtualSizeBytes) && virtualSizeBytes !== undefined ? { virtualSizeBytes } : {}
  const image = { ...rest, ...size, fileSizeBytes: file.size }
  const refusal = found.refusal ?? (await refusalInside(found))
  return refusal ? { image, refusal } : { ...found, image }
}
