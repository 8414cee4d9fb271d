import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { GuestEntry, GuestFiles, GuestStat } from '../../../server/collector/guest.ts'
import { defaultReadBytes, GuestError } from '../../../server/collector/guest.ts'
import { collectLinux } from '../../../server/collector/linux/collect.ts'
import type { GuestVolume, LinuxInput } from '../../../server/collector/linux/input.ts'
import type { Part } from '../../../server/collector/part.ts'
import type { Disk, FactDocument, Volume } from '../../../server/documents/facts.ts'
import { parseFacts } from '../../../server/facts/parse.ts'
import { isObject } from '../../../server/facts/pointer.ts'

/** Where a link points. */
export interface Link {
  readonly link: string
}

/** A tree by path: text or bytes for a file, a link, null for an empty directory. */
export type Tree = Readonly<Record<string, string | Buffer | Link | null>>

/** Writes a tree below a directory. */
export function plant(root: string, tree: Tree): void {
  for (const [path, content] of Object.entries(tree)) {
    const place = join(root, path)
    mkdirSync(content === null ? place : dirname(place), { recursive: true })
    if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(place, content)
    else if (content !== null) symlinkSync(content.link, place)
  }
}

/** Attributes that a directory of the host cannot hold, and paths that cannot be read. */
export interface Extras {
  readonly attributes?: Readonly<Record<string, Partial<GuestStat>>>
  readonly broken?: readonly string[]
}

/** Guest files in a directory of the host, every link followed inside it. */
export class TreeFiles implements GuestFiles {
  readonly #root: string
  readonly #extras: Extras
  /** How often something was asked for. */
  asked = 0

  constructor(root: string, extras: Extras = {}) {
    this.#root = root
    this.#extras = extras
  }

  #look(path: string): ReturnType<typeof lstatSync> | undefined {
    try {
      return lstatSync(join(this.#root, path), { throwIfNoEntry: false })
    } catch {
      return undefined
    }
  }

  /** The path without links, inside the tree. */
  #real(path: string, followLast: boolean): string | undefined {
    let pending = path.split('/').filter((name) => name !== '' && name !== '.')
    let walked: string[] = []
    for (let links = 0; pending.length > 0; ) {
      const [name = '', ...rest] = pending
      pending = rest
      if (name === '..') {
        walked.pop()
        continue
      }
      const here = `/${[...walked, name].join('/')}`
      const stat = this.#look(here)
      if (stat === undefined) return undefined
      if (stat.isSymbolicLink() && (followLast || rest.length > 0)) {
        links += 1
        if (links > 40) return undefined
        const target = readlinkSync(join(this.#root, here))
        if (target.startsWith('/')) walked = []
        pending = [...target.split('/').filter((one) => one !== '' && one !== '.'), ...rest]
        continue
      }
      walked.push(name)
    }
    return `/${walked.join('/')}`
  }

  async #ask(path: string): Promise<void> {
    this.asked += 1
    await Promise.resolve()
    if (this.#extras.broken?.includes(path)) throw new GuestError('damaged', 'The inode cannot be read.')
  }

  async read(path: string, maxBytes: number = defaultReadBytes): Promise<Buffer | undefined> {
    await this.#ask(path)
    const real = this.#real(path, true)
    if (real === undefined || !this.#look(real)?.isFile()) return undefined
    const bytes = readFileSync(join(this.#root, real))
    if (bytes.length > maxBytes) throw new GuestError('too-large', 'The file is too large.')
    return bytes
  }

  async list(path: string): Promise<readonly GuestEntry[] | undefined> {
    await this.#ask(path)
    const real = this.#real(path, true)
    if (real === undefined || !this.#look(real)?.isDirectory()) return undefined
    return readdirSync(join(this.#root, real), { withFileTypes: true }).map((entry) => ({
      name: entry.name,
      kind: entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'link' : 'file',
    }))
  }

  async stat(path: string): Promise<GuestStat | undefined> {
    await this.#ask(path)
    const real = this.#real(path, false)
    const stat = real === undefined ? undefined : this.#look(real)
    if (real === undefined || stat === undefined) return undefined
    const kind = stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'link' : 'file'
    return {
      kind,
      sizeBytes: Number(stat.size),
      immutable: false,
      appendOnly: false,
      ...(kind === 'link' ? { target: readlinkSync(join(this.#root, real)) } : {}),
      ...this.#extras.attributes?.[path],
    }
  }
}

/** UUID of the root file system of every test's image. */
export const rootUuid = '5b1c2f7e-30a4-4d0b-9a55-6f2b7c1de842'

/** A volume on a partition. */
export function volume(number: number, facts: Volume, files?: GuestFiles): GuestVolume {
  const device = `/dev/sda${number}`
  const { uuid, label } = facts
  return {
    facts: { device, partitionNumber: number, encryption: 'none', ...facts },
    block: { device, partitionNumber: number, ...(uuid ? { uuid } : {}), ...(label ? { label } : {}) },
    ...(files ? { files } : {}),
    writable: true,
  }
}

const mebibyte = 1_048_576

/** A disk with one partition, which holds an ext4 root. */
export function oneDisk(files: GuestFiles): LinuxInput {
  const disk: Disk = {
    partitionTable: 'mbr',
    partitions: [
      {
        number: 1,
        device: '/dev/sda1',
        typeCode: '83',
        content: 'file-system',
        startBytes: mebibyte,
        sizeBytes: 10_000 * mebibyte,
      },
    ],
  }
  const root = volume(1, { fileSystem: 'ext4', uuid: rootUuid, label: '', features: ['has_journal', 'extent'] }, files)
  return { volumes: [root], otherBlocks: [], complete: true, disk }
}

function merge(into: Record<string, unknown>, from: object): void {
  for (const [name, value] of Object.entries(from)) {
    const known = into[name]
    if (isObject(known) && isObject(value)) merge(known, value)
    else into[name] = isObject(value) ? structuredClone(value) : value
  }
}

/** Parts as one document, which must be sound. */
export function assemble(parts: readonly Part[]): FactDocument {
  const sections: Record<string, unknown> = {}
  for (const { facts } of parts) merge(sections, facts)
  const source = {
    pointers: [''],
    collector: 'test',
    version: '1',
    method: 'test',
    basis: 'observed',
    at: '2026-01-01T00:00:00Z',
  }
  const missing = parts.flatMap((part) => part.missing ?? [])
  const text = JSON.stringify({ schema: 'imagegate.facts/1', ...sections, collection: { sources: [source], missing } })
  return parseFacts(Buffer.from(text)).document
}

/** A directory for a tree; a test gives its own. */
export interface Place {
  testdir(): string
}

/** Plants a tree and collects from it; the input is a disk with one partition, changed as wanted. */
export async function collect(
  place: Place,
  tree: Tree,
  extras: Extras = {},
  change: (input: LinuxInput) => LinuxInput = (input) => input,
): Promise<FactDocument> {
  const root = place.testdir()
  plant(root, tree)
  return assemble(await collectLinux(change(oneDisk(new TreeFiles(root, extras)))))
}

/** Every leaf of the sections by its pointer; lists of scalars and empty ones are leaves. */
export function leaves(document: FactDocument): Map<string, unknown> {
  const found = new Map<string, unknown>()
  const visit = (value: unknown, pointer: string): void => {
    if (Array.isArray(value) && value.some(isObject)) {
      for (const [index, one] of value.entries()) visit(one, `${pointer}/${index}`)
    } else if (isObject(value)) for (const [name, one] of Object.entries(value)) visit(one, `${pointer}/${name}`)
    else found.set(pointer, value)
  }
  const { schema: _schema, collection: _collection, ...sections } = document
  visit(sections, '')
  return found
}

/** The leaves in which two documents differ, with the second one's value; undefined where it has none. */
export function changes(before: FactDocument, after: FactDocument): Record<string, unknown> {
  const [a, b] = [leaves(before), leaves(after)]
  const pointers = [...new Set([...a.keys(), ...b.keys()])].sort()
  const same = (pointer: string) => JSON.stringify(a.get(pointer)) === JSON.stringify(b.get(pointer))
  return Object.fromEntries(pointers.filter((pointer) => !same(pointer)).map((pointer) => [pointer, b.get(pointer)]))
}

/** A newc archive of empty files. */
export function cpio(names: readonly string[]): Buffer {
  const hex = (value: number) => value.toString(16).padStart(8, '0')
  const pad = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
  const entry = (name: string, content: Buffer): Buffer => {
    const fields = [1, 0o100644, 0, 0, 1, 0, content.length, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0]
    const header = Buffer.from(`070701${fields.map(hex).join('')}${name}\0`)
    return Buffer.concat([pad(header), pad(content)])
  }
  const entries = names.map((name) => entry(name, Buffer.from(`content of ${name}`)))
  return Buffer.concat([...entries, entry('TRAILER!!!', Buffer.alloc(0))])
}

/** An initramfs as distributions make it: microcode in front, then a gzip archive of modules. */
export function initramfs(release: string, modules: readonly string[]): Buffer {
  const early = cpio(['kernel', 'kernel/x86/microcode/GenuineIntel.bin'])
  const names = modules.map((name) => `usr/lib/modules/${release}/kernel/drivers/${name}`)
  return Buffer.concat([early, Buffer.alloc(512), gzipSync(cpio(['init', 'bin', ...names]))])
}

/** A program whose header says x86-64. */
export const program = Buffer.concat([
  Buffer.from('7f454c460201010000000000000000000300 3e00'.replaceAll(' ', ''), 'hex'),
  Buffer.alloc(64),
])
