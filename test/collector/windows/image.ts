import { spawn } from 'node:child_process'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type GuestDescription, guestContents } from './guest.ts'
import { makeNtfs, type NtfsVolume, ntfsPrograms } from './ntfs.ts'

/** Programs that buildWindowsImage needs. */
export const imagePrograms = [...ntfsPrograms, 'sfdisk', 'hivexregedit'] as const

const mebibyte = 1_048_576

/** One partition of a Windows disk. */
export interface ImagePartition {
  /** What lies on it: a Windows guest, other files, a BitLocker volume, or nothing. */
  readonly guest?: GuestDescription
  readonly contents?: NtfsVolume['contents']
  readonly bitLocker?: boolean
  readonly readOnly?: readonly string[]
  readonly label?: string
  readonly dirty?: boolean
  /** Unit: MiB; 16 when it is left out. */
  readonly size?: number
  /** The type as sfdisk takes it: two hexadecimal digits on an MBR disk, an identifier on a GPT disk. */
  readonly type?: string
}

/** A Windows disk. */
export interface WindowsImage {
  readonly table?: 'dos' | 'gpt'
  readonly partitions: readonly ImagePartition[]
  /** Size of the whole disk, at least what the partitions need. The file is sparse. Unit: bytes. */
  readonly sizeBytes?: number
}

/** The headers by which a BitLocker volume is known. */
function bitLockerVolume(): Buffer {
  const volume = Buffer.alloc(mebibyte)
  const signature = '-FVE-FS-'
  const metadataAt = 65_536
  Buffer.from([0xeb, 0x58, 0x90]).copy(volume)
  volume.write(signature, 3, 'latin1')
  Buffer.from('3bd667492e29d84a8399f6a339e3d001', 'hex').copy(volume, 160)
  for (const at of [176, 184, 192]) volume.writeBigUInt64LE(BigInt(metadataAt), at)
  volume.write(signature, metadataAt, 'latin1')
  volume.writeUInt16LE(2, metadataAt + 10)
  volume.writeUInt16LE(0xaa55, 510)
  return volume
}

async function partitionBytes(partition: ImagePartition, sizeBytes: number, scratch: string): Promise<Buffer> {
  const { guest, contents, bitLocker, readOnly, label, dirty } = partition
  if (bitLocker === true) return bitLockerVolume()
  const files = guest === undefined ? contents : await guestContents(guest)
  if (files === undefined) return Buffer.alloc(0)
  await makeNtfs(scratch, sizeBytes, { contents: files, readOnly, label, dirty })
  const bytes = await readFile(scratch)
  await rm(scratch)
  return bytes
}

function writeTable(path: string, script: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/usr/sbin/sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', path], {
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (piece) => {
      said += piece
    })
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`sfdisk: ${said}`))))
    child.stdin.end(script)
  })
}

/** Builds a small whole Windows disk in a RAW file, without mounting and without privileges. */
export async function buildWindowsImage(path: string, image: WindowsImage): Promise<void> {
  const { table = 'dos', partitions } = image
  const basic = table === 'dos' ? '07' : 'EBD0A0A2-B9E5-4433-87C0-68B6B72699C7'
  const directory = await mkdtemp(join(tmpdir(), 'imagegate-image-'))
  const disk = await open(path, 'wx')
  try {
    let start = mebibyte
    const lines = [`label: ${table}`]
    for (const [index, partition] of partitions.entries()) {
      const size = (partition.size ?? 16) * mebibyte
      const active = table === 'dos' && index === 0 ? ', bootable' : ''
      lines.push(`start=${start / 512}, size=${size / 512}, type=${partition.type ?? basic}${active}`)
      const bytes = await partitionBytes(partition, size, join(directory, 'volume'))
      for (let at = 0; at < bytes.length; at += mebibyte) {
        const piece = bytes.subarray(at, at + mebibyte)
        if (piece.some((byte) => byte !== 0)) await disk.write(piece, 0, piece.length, start + at)
      }
      start += size
    }
    await disk.truncate(Math.max(image.sizeBytes ?? 0, start + mebibyte))
    await writeTable(path, `${lines.join('\n')}\n`)
  } finally {
    await disk.close()
    await rm(directory, { recursive: true })
  }
}
