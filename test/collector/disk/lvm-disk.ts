import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'

/** A logical volume of the test's group: its bytes, and how many pieces it is laid out in. */
export interface TestVolume {
  readonly name: string
  readonly bytes: Buffer
  readonly pieces: 1 | 2
}

const extent = 1_048_576
const areaOffset = 4096
const areaSize = 1_044_480
const firstExtent = 1_048_576

/** LVM's CRC-32: its own start value, and no inversion at the end. */
function crc(bytes: Buffer): number {
  let value = 0xf597a6cf
  for (const byte of bytes) {
    value ^= byte
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  }
  return value >>> 0
}

const identifier = () => randomUUID().replaceAll('-', '')
const dashed = (id: string) =>
  [
    id.slice(0, 6),
    id.slice(6, 10),
    id.slice(10, 14),
    id.slice(14, 18),
    id.slice(18, 22),
    id.slice(22, 26),
    id.slice(26),
  ].join('-')

/**
 * Writes a physical volume with its group, byte by byte: no device mapper, no root. Volumes in two pieces have their second
 * half in front of the first. A label that blkid accepts and a group that GRUB reads show that it is right.
 */
export async function makeLvm(file: string, group: string, volumes: readonly TestVolume[]): Promise<string> {
  const id = identifier()
  let next = 0
  const placed = volumes.map((volume) => {
    const count = Math.ceil(volume.bytes.length / extent)
    const start = next
    next += count
    return { ...volume, count, start }
  })
  const disk = Buffer.alloc(firstExtent + next * extent + extent)
  const sections = placed.map(({ name, bytes, pieces, count, start }) => {
    const half = Math.floor(count / 2)
    const parts =
      pieces === 1
        ? [{ from: 0, count, at: start }]
        : [
            { from: 0, count: half, at: start + count - half },
            { from: half, count: count - half, at: start },
          ]
    const segments = parts.map((part, index) => {
      bytes.copy(disk, firstExtent + part.at * extent, part.from * extent, (part.from + part.count) * extent)
      return `segment${index + 1} {\nstart_extent = ${part.from}\nextent_count = ${part.count}\ntype = "striped"\nstripe_count = 1\nstripes = [\n"pv0", ${part.at}\n]\n}`
    })
    return `${name} {\nid = "${dashed(identifier())}"\nstatus = ["READ", "WRITE", "VISIBLE"]\nflags = []\nsegment_count = ${parts.length}\n${segments.join('\n')}\n}`
  })
  const text = Buffer.from(
    `${group} {\nid = "${dashed(identifier())}"\nseqno = 1\nformat = "lvm2" # informational\nstatus = ["RESIZEABLE", "READ", "WRITE"]\nflags = []\nextent_size = 2048\nmax_lv = 0\nmax_pv = 0\nmetadata_copies = 0\n\nphysical_volumes {\n\npv0 {\nid = "${dashed(id)}"\ndevice = "/dev/sda1"\n\nstatus = ["ALLOCATABLE"]\nflags = []\ndev_size = ${disk.length / 512}\npe_start = ${firstExtent / 512}\npe_count = ${next}\n}\n}\n\nlogical_volumes {\n\n${sections.join('\n\n')}\n}\n}\n# Generated\n\ncontents = "Text Format Volume Group"\nversion = 1\n\0`,
  )
  // The text lies around the end of its ring, as it does after many changes.
  const offset = areaSize - 512
  text.copy(disk, areaOffset + offset, 0, 512)
  text.copy(disk, areaOffset + 512, 512)
  disk.write(' LVM2 x[5A%r0N*>', areaOffset + 4, 'latin1')
  disk.writeUInt32LE(1, areaOffset + 20)
  disk.writeBigUInt64LE(BigInt(areaOffset), areaOffset + 24)
  disk.writeBigUInt64LE(BigInt(areaSize), areaOffset + 32)
  disk.writeBigUInt64LE(BigInt(offset), areaOffset + 40)
  disk.writeBigUInt64LE(BigInt(text.length), areaOffset + 48)
  disk.writeUInt32LE(crc(text), areaOffset + 56)
  disk.writeUInt32LE(crc(disk.subarray(areaOffset + 4, areaOffset + 512)), areaOffset)
  disk.write('LABELONE', 512, 'latin1')
  disk.writeBigUInt64LE(1n, 520)
  disk.writeUInt32LE(32, 532)
  disk.write('LVM2 001', 536, 'latin1')
  disk.write(id, 544, 'latin1')
  disk.writeBigUInt64LE(BigInt(disk.length), 576)
  disk.writeBigUInt64LE(BigInt(firstExtent), 584)
  disk.writeBigUInt64LE(BigInt(areaOffset), 616)
  disk.writeBigUInt64LE(BigInt(areaSize), 624)
  disk.writeUInt32LE(crc(disk.subarray(532, 1024)), 528)
  await writeFile(file, disk)
  return file
}
