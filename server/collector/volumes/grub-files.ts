import { posix } from 'node:path'
import { defaultReadBytes, GuestError, type GuestFiles, type GuestStat, largestReadBytes } from '../guest.ts'
import { type GrubDevice, type GrubEntry, grubList, grubPieces, grubRead, grubSave } from './grub.ts'
import { remembered } from './links.ts'
import { components, plainPath } from './paths.ts'

/** What GRUB tells of an entry: neither mode nor flags, nor where a link leads. */
function statOf(entry: GrubEntry): GuestStat {
  return typeof entry === 'number' ? { kind: 'file', sizeBytes: entry } : { kind: entry, sizeBytes: 0 }
}

/**
 * Files by GRUB's own file-system code. It follows links without saying so, hence a link to a file counts as the file. The
 * prefix is a directory that stands for the root, as a btrfs subvolume does.
 */
export function grubFiles(grub: GrubDevice, prefix = ''): GuestFiles {
  const list = remembered((path: string) => grubList(grub, path))
  const inside = (path: string) => plainPath(`${prefix}${posix.normalize(path)}`)
  /** A directory's entries, also behind a link; an empty answer for a link proves nothing. */
  const entriesOf = async (path: string, entry: GrubEntry) => {
    if (typeof entry === 'number') return undefined
    const entries = await list(path === '' ? '/' : path)
    if (entry === 'link' && entries.size === 0)
      throw new GuestError('unreadable', 'GRUB does not tell where a link leads.')
    return entries
  }
  const look = async (path: string) => {
    let here = ''
    let entry: GrubEntry = 'directory'
    for (const name of components(inside(path))) {
      const found: GrubEntry | undefined = (await entriesOf(here, entry))?.get(name)
      if (found === undefined) return undefined
      entry = found
      here = `${here}/${name}`
    }
    return { here, entry }
  }
  return {
    async stat(path) {
      const found = await look(path)
      return found && statOf(found.entry)
    },
    async list(path) {
      const found = await look(path)
      const entries = found && (await entriesOf(found.here, found.entry))
      return entries && [...entries].map(([name, entry]) => ({ name, kind: statOf(entry).kind }))
    },
    read: async (path, maxBytes = defaultReadBytes) =>
      grubRead(grub, inside(path), Math.min(maxBytes, largestReadBytes)),
    pieces: async (path, maxBytes) => grubPieces(grub, inside(path), Math.min(maxBytes, largestReadBytes)),
    save: async (path, target, maxBytes) => grubSave(grub, inside(path), target, Math.min(maxBytes, largestReadBytes)),
  }
}
