import { grubFiles } from './grub-files.ts'
import type { VolumeDriver } from './volume.ts'

/** UFS: nothing but GRUB's code reads it here, which tells neither size nor state. */
export const readUfs: VolumeDriver = async ({ tools, disk, range, names, check }) => ({
  facts: {},
  missing: check
    ? [{ pointer: '/check', code: 'unsupported', reason: 'No program here checks a UFS without writing.' }]
    : [],
  files: grubFiles({ tools, device: '(loop0)', place: () => disk.part(range.start, range.length), names }),
  method: 'grub-fstest',
})

/** A file system that is only named. */
export const readNamed: VolumeDriver = async ({ fileSystem }) => ({
  facts: {},
  missing: [
    { pointer: '', code: 'unsupported', reason: `No program here reads ${fileSystem}: the file system is only named.` },
  ],
  method: 'blkid -p',
})
