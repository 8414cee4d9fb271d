import type { Image } from '../../documents/facts.ts'

type Format = NonNullable<Image['format']>

const magics: readonly (readonly [format: Format, offset: number, magic: Buffer])[] = [
  ['qcow2', 0, Buffer.from('514649fb', 'hex')],
  ['vhdx', 0, Buffer.from('vhdxfile')],
  ['vhd', 0, Buffer.from('conectix')],
  ['vmdk', 0, Buffer.from('KDMV')],
  ['vmdk', 0, Buffer.from('COWD')],
  ['vmdk', 0, Buffer.from('# Disk DescriptorFile')],
  ['vdi', 0x40, Buffer.from('7f10dabe', 'hex')],
  ['qed', 0, Buffer.from('QED\0')],
  ['parallels', 0, Buffer.from('WithoutFreeSpace')],
  ['parallels', 0, Buffer.from('WithouFreSpacExt')],
]

const archives: readonly (readonly [offset: number, magic: Buffer])[] = [
  [0, Buffer.from('1f8b08', 'hex')],
  [0, Buffer.from('fd377a585a00', 'hex')],
  [0, Buffer.from('504b0304', 'hex')],
  [0, Buffer.from('504b0506', 'hex')],
  [0, Buffer.from('BZh')],
  [0, Buffer.from('28b52ffd', 'hex')],
  [0, Buffer.from('377abcaf271c', 'hex')],
  [0, Buffer.from('526172211a07', 'hex')],
  [0, Buffer.from('04224d18', 'hex')],
  [0, Buffer.from('1f9d', 'hex')],
  [0, Buffer.from('1fa0', 'hex')],
  [0, Buffer.from('5d00008000', 'hex')],
  [257, Buffer.from('ustar')],
]

const stands = (head: Buffer, offset: number, magic: Buffer) =>
  head.subarray(offset, offset + magic.length).equals(magic)

/** The container format whose magic stands at the start of these bytes. */
export function containerMagic(head: Buffer): Format | undefined {
  const found = magics.find(([, offset, magic]) => stands(head, offset, magic))?.[0]
  return found === 'qcow2' && head.length >= 8 && head.readUInt32BE(4) === 1 ? 'qcow1' : found
}

/** Whether the bytes begin an archive or a compressed file. */
export function isArchive(head: Buffer): boolean {
  return archives.some(([offset, magic]) => stands(head, offset, magic))
}

/** Whether the bytes from 0x8000 on are a volume descriptor of ISO 9660, which a hybrid with a partition table has too. */
export function isIso(sector: Buffer): boolean {
  return stands(sector, 1, Buffer.from('CD001'))
}

/** Whether a disk's first two sectors carry the signature of an MBR or a GPT. */
export function hasPartitionSignature(head: Buffer): boolean {
  return stands(head, 510, Buffer.from('55aa', 'hex')) || stands(head, 512, Buffer.from('EFI PART'))
}
