import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { findTool } from '../../server/collector/tools/find.ts'
import { type ToolName, tools } from '../../server/collector/tools/table.ts'

const mebibyte = 1_048_576

/** A hash as a shadow file has it; it must appear nowhere. */
export const canary = '$6$canarycanary$ThisHashMustNotAppearAnywhere0123456789'

/** Why tests that need programs are skipped; false when they are there. */
export async function programsMissing(names: readonly string[]): Promise<string | false> {
  for (const name of names) {
    const known = Object.keys(tools).find((one): one is ToolName => one === name)
    const there = known === undefined ? installed(name) : (await findTool(known)) !== undefined
    if (!there) return `${name} is not installed`
  }
  return false
}

function installed(name: string): boolean {
  return ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].some((folder) =>
    statSync(join(folder, name), { throwIfNoEntry: false }),
  )
}

/** Files of a little Debian, by path; a link is written as '-> target'. */
export const littleDebian: Readonly<Record<string, string>> = {
  '/usr/lib/os-release': 'ID=debian\nVERSION_ID="10"\nNAME="Debian GNU/Linux"\n',
  '/etc/os-release': '-> ../usr/lib/os-release',
  '/etc/debian_version': '10.7\n',
  '/etc/issue': 'Debian GNU/Linux 10 \\n \\l\n',
  '/etc/fstab': 'UUID=11111111-2222-3333-4444-555555555555 / ext4 defaults 0 1\n',
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
  '/etc/shadow': `root:${canary}:18000:0:99999:7:::\n`,
  '/root/.keep': '',
}

/** How a little image is made. */
export interface SmallImage {
  readonly files?: Readonly<Record<string, string>>
  readonly label?: string
}

/** Makes a RAW disk with one ext4 partition in a folder; gives its path. */
export function smallImage(
  folder: string,
  name: string,
  { files = littleDebian, label = '' }: SmallImage = {},
): string {
  const tree = join(folder, `${name}.tree`)
  for (const [path, content] of Object.entries(files)) {
    const file = join(tree, path)
    mkdirSync(dirname(file), { recursive: true })
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), file)
    else writeFileSync(file, content)
  }
  const image = join(folder, name)
  writeFileSync(image, '')
  truncateSync(image, 34 * mebibyte)
  execFileSync('sfdisk', ['-q', image], { input: 'label: dos\nstart=2048\n' })
  const identity = [
    '-U',
    '11111111-2222-3333-4444-555555555555',
    '-E',
    `offset=${mebibyte},hash_seed=${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}`,
  ]
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-O', '^64bit', ...identity, '-L', label, '-d', tree, image, '32m'])
  return image
}

/** The same disk as QCOW2. */
export function asQcow2(raw: string, qcow2: string): string {
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2])
  return qcow2
}

/** A copy with bytes written over it. */
export function overwritten(image: string, copy: string, offset: number, bytes: Buffer): string {
  cpSync(image, copy)
  const file = openSync(copy, 'r+')
  writeSync(file, bytes, 0, bytes.length, offset)
  closeSync(file)
  return copy
}

/** SHA-256 of a file, in hexadecimal digits. */
export function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}
