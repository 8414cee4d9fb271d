import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A value: text is REG_SZ, a number REG_DWORD, bytes REG_BINARY. */
export type Value = string | number | Buffer
/** Keys by path below the hive's root. */
export type Tree = Readonly<Record<string, Readonly<Record<string, Value>>>>

const headerBytes = 4096
const noOffset = 0xffffffff

/** The checksum of a hive's header, written where it belongs. */
export function sealHive(hive: Buffer): Buffer {
  let sum = 0
  for (let at = 0; at < 0x1fc; at += 4) sum ^= hive.readUInt32LE(at)
  hive.writeUInt32LE(sum >>> 0, 0x1fc)
  return hive
}

/** A hive with a root key and nothing else, which hivexregedit needs to begin with. */
export function emptyHive(): Buffer {
  const hive = Buffer.alloc(headerBytes * 2)
  const words = (at: number, ...values: number[]): void => {
    for (const [index, value] of values.entries()) hive.writeUInt32LE(value, at + index * 4)
  }
  hive.write('regf', 0, 'latin1')
  words(4, 1, 1)
  words(0x14, 1, 3, 0, 1, 0x20, headerBytes, 1)
  hive.write('hbin', headerBytes, 'latin1')
  words(headerBytes + 8, headerBytes)
  const key = headerBytes + 0x20
  const security = key + 0x58
  const rest = security + 0x30
  hive.writeInt32LE(key - security, key)
  hive.write('nk', key + 4, 'latin1')
  hive.writeUInt16LE(0x2c, key + 6)
  words(key + 0x20, noOffset, noOffset, 0, noOffset, security - headerBytes, noOffset)
  hive.writeUInt16LE(4, key + 0x4c)
  hive.write('ROOT', key + 0x50, 'latin1')
  hive.writeInt32LE(security - rest, security)
  hive.write('sk', security + 4, 'latin1')
  words(security + 8, security - headerBytes, security - headerBytes, 1, 20, 0x80000001)
  hive.writeInt32LE(headerBytes * 2 - rest, rest)
  return sealHive(hive)
}

const hex = (bytes: Buffer): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(',')

function valueText(value: Value): string {
  if (typeof value === 'number') return `dword:${value.toString(16).padStart(8, '0')}`
  return typeof value === 'string' ? `hex(1):${hex(Buffer.from(`${value}\0`, 'utf16le'))}` : `hex:${hex(value)}`
}

/** The text that hivexregedit merges: every key behind its parents. */
export function registryText(tree: Tree): string {
  const paths = new Set<string>()
  for (const path of Object.keys(tree)) {
    const names = path.split('\\')
    for (let depth = 1; depth <= names.length; depth++) paths.add(names.slice(0, depth).join('\\'))
  }
  const keys = [...paths].map((path) => {
    const values = Object.entries(tree[path] ?? {}).map(
      ([name, value]) => `"${name.replace(/["\\]/g, '\\$&')}"=${valueText(value)}\n`,
    )
    return `[\\${path}]\n${values.join('')}\n`
  })
  return `Windows Registry Editor Version 5.00\n\n${keys.join('')}`
}

const made = new Map<string, Promise<Buffer>>()

async function mergeHive(text: string): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'imagegate-hive-'))
  try {
    const hive = join(directory, 'hive')
    const registry = join(directory, 'hive.reg')
    await Promise.all([writeFile(hive, emptyHive()), writeFile(registry, text)])
    await run('hivexregedit', ['--merge', hive, registry])
    return await readFile(hive)
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** The bytes of a hive with these keys, made by hivexregedit; equal trees are made once. */
export async function makeHive(tree: Tree): Promise<Buffer> {
  const text = registryText(tree)
  const hive = made.get(text) ?? mergeHive(text)
  made.set(text, hive)
  return Buffer.from(await hive)
}
