import { open } from 'node:fs/promises'
import { run } from './run.ts'

/** 2^20 bytes. */
export const mebibyte = 1_048_576

/** One entry of a partition table. Unit of start and size: MiB. */
export interface PartitionPlan {
  readonly start: number
  readonly size: number
  /** As sfdisk takes it: two hexadecimal digits on an MBR disk, a UUID or a letter on a GPT disk. */
  readonly type: string
  readonly name?: string
  readonly uuid?: string
}

/** A partition table. */
export interface TablePlan {
  readonly label: 'dos' | 'gpt'
  readonly partitions: readonly PartitionPlan[]
}

/** Makes a file that holds nothing, of a size in MiB. */
export async function emptyFile(path: string, size: number): Promise<void> {
  const file = await open(path, 'wx')
  await file.truncate(size * mebibyte)
  await file.close()
}

/** Writes a partition table. */
export async function writeTable(path: string, { label, partitions }: TablePlan): Promise<void> {
  const id = label === 'dos' ? '0x5f3c91d0' : '9D1C5A3E-6B7F-4E57-8A1F-0C6B2D5E7F10'
  const lines = partitions.map(({ start, size, type, name, uuid }) => {
    const fields = [`start=${start * 2048}`, `size=${size * 2048}`, `type=${type}`]
    if (name !== undefined) fields.push(`name="${name}"`)
    if (uuid !== undefined) fields.push(`uuid=${uuid}`)
    return fields.join(', ')
  })
  const input = [`label: ${label}`, `label-id: ${id}`, 'unit: sectors', ...lines, ''].join('\n')
  await run('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', path], { input })
}

/** Copies a file into another at an offset in MiB, without its holes. */
export async function place(from: string, to: string, start: number): Promise<void> {
  await run('dd', [`if=${from}`, `of=${to}`, 'bs=1M', `seek=${start}`, 'conv=notrunc,sparse', 'status=none'])
}

/** Copies a file with its holes; where the file system can, both share their blocks. */
export async function copyFile(from: string, to: string): Promise<void> {
  await run('cp', ['--sparse=always', '--reflink=auto', from, to])
}

/** Writes bytes into a file. Unit of the offset: bytes. */
export async function patch(path: string, offset: number, bytes: Buffer): Promise<void> {
  const file = await open(path, 'r+')
  await file.write(bytes, 0, bytes.length, offset)
  await file.close()
}
