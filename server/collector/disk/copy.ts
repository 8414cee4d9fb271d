import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { GuestError } from '../guest.ts'
import type { Layout } from '../sniff/result.ts'
import type { Place } from '../tools/place.ts'
import type { Toolbox } from '../tools/toolbox.ts'
import { copyRange } from './copy-range.ts'
import type { VirtualDisk } from './virtual-disk.ts'

/** Room that a copy must leave free. Unit: bytes. */
const reserve = 1_073_741_824

/**
 * Shows the disk without FUSE: a raw disk as it is, everything else as sparse copies in our own directory. `why` is the
 * sentence that says what keeps FUSE from being used.
 */
export function copyDisk(tools: Toolbox, image: string, layout: Layout, fileSize: number, why: string): VirtualDisk {
  const known = new Map<string, Promise<Place>>()
  const copy = async (start: number, length: number): Promise<Place> => {
    if (start < 0 || length <= 0 || start + length > layout.sizeBytes)
      throw new GuestError('damaged', 'A range lies behind the end of the disk.')
    const { bavail, bsize } = await statfs(tools.folder)
    // A compressed container may grow; four times its size is more than file systems reach in practice.
    if (Math.min(length, fileSize * 4) + reserve > bavail * bsize)
      throw new GuestError('too-large', `${why} So the disk must be copied, and there is not enough free space for it.`)
    const path = join(tools.folder, `copy-${start}-${length}`)
    await copyRange(tools, { image, layout, start, length, path })
    return { path }
  }
  const range = (start: number, length: number) => {
    const key = `${start}-${length}`
    const place = known.get(key) ?? copy(start, length)
    known.set(key, place)
    return place
  }
  const whole = async () => (layout.driver === 'raw' ? { path: image } : range(0, layout.sizeBytes))
  return {
    method: layout.driver === 'raw' ? 'the file itself, by offset' : 'qemu-img convert into a temporary file',
    sizeBytes: layout.sizeBytes,
    whole,
    async part(start, length, offsets) {
      const place = offsets === undefined ? undefined : await whole()
      // e2fsprogs would take a question mark in the name for the beginning of options.
      return place === undefined || place.path.includes('?') ? range(start, length) : { ...place, offset: start }
    },
    close: async () => undefined,
  }
}
