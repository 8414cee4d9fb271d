import { GuestError } from '../guest.ts'
import type { Layout } from '../sniff/result.ts'
import type { VirtualDisk } from './virtual-disk.ts'

/**
 * Shows a raw disk as what it is: a file. Only a program that cannot be told where a range begins needs more, and only then
 * is the disk shown in another way.
 */
export function rawDisk(path: string, layout: Layout, otherwise: () => Promise<VirtualDisk>): VirtualDisk {
  let other: Promise<VirtualDisk> | undefined
  const shown = () => {
    other ??= otherwise()
    return other
  }
  return {
    method: 'the file itself',
    sizeBytes: layout.sizeBytes,
    whole: async () => ({ path }),
    async part(start, length, offsets) {
      if (start < 0 || length <= 0 || start + length > layout.sizeBytes)
        throw new GuestError('damaged', 'A range lies behind the end of the disk.')
      // e2fsprogs would take a question mark in the name for the beginning of options.
      if (offsets !== undefined && !path.includes('?')) return { path, offset: start }
      return (await shown()).part(start, length, offsets)
    },
    close: async () => (await other?.catch(() => undefined))?.close(),
  }
}
