import type { Bytes } from './bytes.ts'
import type { ImageFacts, Sniffed } from './result.ts'

type Format = NonNullable<ImageFacts['format']>

const number64 = (value: bigint) => (value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined)

/** Where each format that is only named keeps the size of its disk. */
function virtualSize(format: Format, head: Buffer): number | undefined {
  if (head.length < 512) return undefined
  if (format === 'qcow1') return number64(head.readBigUInt64BE(24))
  if (format === 'qed') return number64(head.readBigUInt64LE(48))
  if (format === 'vdi') return number64(head.readBigUInt64LE(0x170))
  if (format === 'vmdk' && head.toString('latin1', 0, 4) === 'KDMV') return number64(head.readBigUInt64LE(12) * 512n)
  if (format === 'vmdk' && head.toString('latin1', 0, 4) === 'COWD') return head.readUInt32LE(12) * 512
  if (format === 'parallels') return number64(head.readBigUInt64LE(36) * 512n)
  return undefined
}

const names: Readonly<Partial<Record<Format, string>>> = {
  qcow1: 'QCOW version 1',
  iso: 'an ISO 9660 image',
  archive: 'an archive or a compressed file',
  qed: 'QED',
  parallels: 'a Parallels disk',
}

/** A format that is recognised, so that the policy can say what to do, and is never opened by another program. */
export async function sniffNamed(file: Bytes, format: Format): Promise<Sniffed> {
  const size = virtualSize(format, await file.read(0, 512))
  const reason = `The image is ${names[format] ?? format.toUpperCase()}, whose contents are not read.`
  return {
    image: { format, ...(size === undefined ? {} : { virtualSizeBytes: size }) },
    refusal: { code: 'unsupported', reason },
  }
}
