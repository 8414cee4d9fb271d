import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { empty, make, patch } from './programs.ts'

/** A partition of a test disk: its type for sfdisk and the file that holds its bytes. */
export interface Content {
  readonly type: string
  readonly file: string
}

const mebibyte = 1_048_576

/** Writes a partition table by sfdisk, which takes it from standard input. */
export async function writeTable(disk: string, script: string): Promise<void> {
  const child = spawn('/usr/sbin/sfdisk', ['-q', disk], { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(script)
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`sfdisk ended with ${code}`)
}

/** Makes a raw disk of partitions that lie one behind the other, each beginning at a whole MiB. */
export async function makeDisk(disk: string, label: 'dos' | 'gpt', contents: readonly Content[]): Promise<string> {
  const sizes = await Promise.all(contents.map(async ({ file }) => (await stat(file)).size))
  let start = mebibyte
  const lines: string[] = []
  const starts: number[] = []
  for (const [index, { type }] of contents.entries()) {
    const size = sizes[index] ?? 0
    lines.push(`start=${start / 512}, size=${size / 512}, type=${type}`)
    starts.push(start)
    start = Math.ceil((start + size) / mebibyte) * mebibyte
  }
  await empty(disk, start + mebibyte)
  await writeTable(disk, `label: ${label}\n${lines.join('\n')}\n`)
  for (const [index, { file }] of contents.entries()) await copySparse(file, disk, starts[index] ?? 0)
  return disk
}

async function copySparse(from: string, to: string, offset: number): Promise<void> {
  await make(
    'dd',
    `if=${from}`,
    `of=${to}`,
    'bs=1M',
    `seek=${offset}`,
    'oflag=seek_bytes',
    'conv=notrunc,sparse',
    'status=none',
  )
}

/** Makes an ext file system with the files of a directory. */
export async function makeExt(file: string, from: string, ...options: string[]): Promise<string> {
  await empty(file, 64 * mebibyte)
  await make('mkfs.ext4', '-q', '-F', '-d', from, ...options, file)
  // mkfs does not count copied files in quotas; e2fsck answers 1 for what it repaired.
  if (options.join().includes('quota')) await make('e2fsck', '-fy', file).catch(() => undefined)
  return file
}

/** The same disk in the containers that are read. */
export async function containers(raw: string): Promise<Record<string, string>> {
  const convert = async (name: string, ...options: string[]) => {
    const path = `${raw}.${name}`
    await make('qemu-img', 'convert', '-f', 'raw', ...options, raw, path)
    return path
  }
  return {
    raw,
    qcow2: await convert('qcow2', '-O', 'qcow2'),
    compressed: await convert('compressed.qcow2', '-c', '-O', 'qcow2'),
    fixed: await convert('fixed.vhd', '-O', 'vpc', '-o', 'subformat=fixed,force_size=on'),
    dynamic: await convert('dynamic.vhd', '-O', 'vpc', '-o', 'subformat=dynamic,force_size=on'),
  }
}

/** Changes one byte of a copy of a file. */
export async function flip(path: string, offset: number): Promise<void> {
  const byte = (await readFile(path)).readUInt8(offset)
  await patch(path, offset, Buffer.from([byte ^ 0xff]))
}
