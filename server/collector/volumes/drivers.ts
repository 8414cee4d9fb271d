import type { FileSystemType } from '../../documents/facts.ts'
import { readBtrfs } from './btrfs.ts'
import { readExt } from './ext.ts'
import { readFat } from './fat.ts'
import { readNtfs } from './ntfs.ts'
import { readNamed, readUfs } from './plain.ts'
import type { VolumeDriver } from './volume.ts'
import { readXfs } from './xfs.ts'

const drivers: Readonly<Partial<Record<FileSystemType, VolumeDriver>>> = {
  ext2: readExt,
  ext3: readExt,
  ext4: readExt,
  xfs: readXfs,
  btrfs: readBtrfs,
  ntfs: readNtfs,
  fat12: readFat,
  fat16: readFat,
  fat32: readFat,
  ufs: readUfs,
}

/** The driver of a file system; one that only names it where none reads it. */
export function driverOf(fileSystem: FileSystemType): VolumeDriver {
  return drivers[fileSystem] ?? readNamed
}
