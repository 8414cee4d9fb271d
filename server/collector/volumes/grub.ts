import { GuestError } from '../guest.ts'
import type { Place } from '../tools/place.ts'
import type { Toolbox } from '../tools/toolbox.ts'

/** One file system as grub-fstest names it, for example (loop0) or (lvm/vg-root). */
export interface GrubDevice {
  readonly tools: Toolbox
  readonly place: () => Promise<Place>
  readonly device: string
}

/**
 * Content of a file, links followed by GRUB; undefined when there is none. Throws a GuestError, also when GRUB names another
 * path than the one asked for as missing: it followed a link, and it cuts the last character off short ones of UFS.
 */
export async function grubRead(grub: GrubDevice, path: string, maxBytes: number): Promise<Buffer | undefined> {
  const result = await grub.tools.run({
    tool: 'grub-fstest',
    place: await grub.place(),
    args: ({ image }) => [image, 'cat', `${grub.device}${path}`],
    limits: { stdoutBytes: maxBytes },
  })
  if (result.code === 0 && result.stderr === '') return result.stdout
  if (result.stderr.endsWith(`: file \`${path}' not found.\n`) || result.stderr.endsWith(': not a directory.\n'))
    return undefined
  throw new GuestError('unreadable', 'grub-fstest could not read a file.')
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
  return parseListing(long, short)
}
