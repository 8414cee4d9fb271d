import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultReadBytes, GuestError, type Pieces } from '../guest.ts'
import type { ToolCall, ToolResult } from '../tools/call.ts'
import type { Place } from '../tools/place.ts'
import type { Toolbox } from '../tools/toolbox.ts'
import type { Names } from './names.ts'

/** One file system as grub-fstest names it, for example (loop0) or (lvm/vg-root). */
export interface GrubDevice {
  readonly tools: Toolbox
  readonly place: () => Promise<Place>
  readonly device: string
  readonly names: Names
}

/**
 * Has a file printed, links followed by GRUB; undefined when there is none. Throws a GuestError, also when GRUB names another
 * path than the one asked for as missing: it followed a link, and it cuts the last character off short ones of UFS.
 */
async function cat(
  grub: GrubDevice,
  path: string,
  to: Pick<ToolCall, 'output' | 'limits'>,
): Promise<ToolResult | undefined> {
  const result = await grub.tools.run({
    tool: 'grub-fstest',
    place: await grub.place(),
    args: ({ image }) => [image, 'cat', `${grub.device}${path}`],
    ...to,
  })
  if (result.code === 0 && result.stderr === '') return result
  if (result.stderr.endsWith(`: file \`${path}' not found.\n`) || result.stderr.endsWith(': not a directory.\n'))
    return undefined
  throw new GuestError('unreadable', 'grub-fstest could not read a file.')
}

/** Has the content of a file written to a new file of ours; false when there is none. Throws a GuestError. */
export async function grubSave(grub: GrubDevice, path: string, target: string, maxBytes: number): Promise<boolean> {
  return (await cat(grub, path, { output: target, limits: { fileBytes: maxBytes } })) !== undefined
}

/** A new file of ours with the content of a file; undefined when there is none. Throws a GuestError. */
async function saved(grub: GrubDevice, path: string, maxBytes: number): Promise<string | undefined> {
  const target = join(grub.tools.folder, `saved-${randomUUID()}`)
  let there = false
  try {
    there = await grubSave(grub, path, target, maxBytes)
    return there ? target : undefined
  } finally {
    if (!there) await rm(target, { force: true })
  }
}

/** Content of a file in pieces, by way of a file of ours; undefined when there is none. Throws a GuestError. */
export async function grubPieces(grub: GrubDevice, path: string, maxBytes: number): Promise<Pieces | undefined> {
  const target = await saved(grub, path, maxBytes)
  if (target === undefined) return undefined
  return (async function* () {
    try {
      const pieces: AsyncIterable<Buffer> = createReadStream(target, { highWaterMark: 1_048_576 })
      yield* pieces
    } finally {
      await rm(target, { force: true })
    }
  })()
}

/** Content of a file; undefined when there is none. Throws a GuestError. */
export async function grubRead(grub: GrubDevice, path: string, maxBytes: number): Promise<Buffer | undefined> {
  if (maxBytes <= defaultReadBytes) return (await cat(grub, path, { limits: { stdoutBytes: maxBytes } }))?.stdout
  // What comes through a pipe is there twice for a moment, in pieces and as one.
  const target = await saved(grub, path, maxBytes)
  if (target === undefined) return undefined
  try {
    return await readFile(target)
  } finally {
    await rm(target, { force: true })
  }
}

/** What GRUB tells of a name: a directory, the size of a file, or link for a link that leads to no file. */
export type GrubEntry = 'directory' | 'link' | number

async function listed(grub: GrubDevice, path: string, ...options: string[]): Promise<string> {
  const result = await grub.tools.run({
    tool: 'grub-fstest',
    place: await grub.place(),
    args: ({ image }) => [image, 'ls', '--', ...options, `${grub.device}${path.replace(/\/*$/, '/')}`],
  })
  if (result.code !== 0 || result.stderr !== '')
    throw new GuestError('unreadable', 'grub-fstest could not read a directory.')
  return result.stdout.toString()
}

/** The long form, which leaves out links that lead to a directory or to nothing. */
function parseLong(text: string): Map<string, GrubEntry> {
  const entries = new Map<string, GrubEntry>()
  for (const line of text.split('\n')) {
    const [, size, name] = /^(DIR|\d+) +\d{14} (.+)$/.exec(line) ?? []
    if (size === 'DIR') entries.set((name ?? '').replace(/\/$/, ''), 'directory')
    else if (name !== undefined) entries.set(name, Number(size))
  }
  return entries
}

/** Adds the names that only the short form has; it sets a blank behind each name, which may hold blanks itself. */
function addLinks(entries: Map<string, GrubEntry>, text: string): void {
  const known = new Set([...entries].map(([name, kind]) => (kind === 'directory' ? `${name}/` : name)))
  const longest = [...known].reduce((most, name) => Math.max(most, name.length), 0)
  for (let at = 0; at < text.length; ) {
    const first = text.indexOf(' ', at)
    const name = text.slice(at, first < 0 ? undefined : first)
    let end = -1
    for (let blank = first; blank >= 0 && blank - at <= longest; blank = text.indexOf(' ', blank + 1)) {
      if (known.has(text.slice(at, blank))) end = blank
    }
    if (end < 0 && name !== '') entries.set(name.replace(/\/$/, ''), name.endsWith('/') ? 'directory' : 'link')
    at = (end < 0 ? at + name.length : end) + 1
  }
}

/** The entries of a directory from the long and the short form in which GRUB lists it. */
export function parseListing(long: string, short: string): Map<string, GrubEntry> {
  const entries = parseLong(long)
  addLinks(entries, short.replace(/\n$/, ''))
  for (const name of ['.', '..']) entries.delete(name)
  return entries
}

/** What a directory holds. A missing directory, and a link that leads to none, is empty to GRUB. */
export async function grubList(grub: GrubDevice, path: string): Promise<ReadonlyMap<string, GrubEntry>> {
  const [long, short] = await Promise.all([listed(grub, path, '-a', '-l'), listed(grub, path, '-a')])
  const entries = parseListing(long, short)
  grub.names.count(entries.size)
  return entries
}
