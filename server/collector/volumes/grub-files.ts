import { posix } from 'node:path'
import { defaultReadBytes, type GuestFiles, type GuestStat, largestReadBytes } from '../guest.ts'
import { type GrubDevice, grubList, grubRead } from './grub.ts'
import { remembered } from './links.ts'
import { plainPath } from './paths.ts'

/**
 * Files by GRUB's own file-system code. It follows links without saying so, hence a link counts as what it leads to, and it
 * tells neither mode nor flags. The prefix is a directory that stands for the root, as a btrfs subvolume does.
 */
export function grubFiles(grub: GrubDevice, prefix = ''): GuestFiles {
  const list = remembered((path: string) => grubList(grub, path))
  const inside = (path: string) => plainPath(`${prefix}${posix.normalize(path)}`)
  const look = async (path: string): Promise<GuestStat | undefined> => {
    const whole = inside(path).replace(/\/+$/, '')
    if (whole === prefix) return { kind: 'directory', sizeBytes: 0 }
    const found = (await list(posix.dirname(whole))).get(posix.basename(whole))
    if (found === undefined) return undefined
    return found === 'directory' ? { kind: 'directory', sizeBytes: 0 } : { kind: 'file', sizeBytes: found }
  }
  return {
    stat: look,
    async list(path) {
      const stat = await look(path)
      if (stat?.kind !== 'directory') return undefined
      const entries = await list(inside(path).replace(/\/+$/, '') || '/')
      return [...entries].map(([name, size]) => ({ name, kind: size === 'directory' ? 'directory' : 'file' }))
    },
    read: async (path, maxBytes = defaultReadBytes) =>
      grubRead(grub, inside(path), Math.min(maxBytes, largestReadBytes)),
  }
}
