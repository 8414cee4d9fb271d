import type { FileSystemType, Partition } from '../../documents/facts.ts'
import type { Probe } from './probe.ts'
import type { Entry } from './table.ts'

type Content = NonNullable<Partition['content']>

const extendedTypes = new Set(['05', '0f', '85'])

const bootCodeTypes = new Set([
  '41',
  '21686148-6449-6e6f-744e-656564454649',
  '9e1a2d38-c612-4316-aa26-8b49521e5a8b',
  '83bd6b9d-7f41-11dc-be0b-001560b84f0f',
])

/** Whether an entry only holds other partitions. */
export function isExtended(entry: Entry): boolean {
  return entry.typeCode !== undefined && extendedTypes.has(entry.typeCode)
}

/** What a partition's bytes are; undefined when blkid knows them by a name that fits none. */
export function contentOf(entry: Entry, probe: Probe): Content | undefined {
  if (isExtended(entry)) return 'container'
  if (probe.type === 'swap' || probe.type === 'swsuspend') return 'swap'
  if (probe.type === 'LVM2_member' || probe.type === 'LVM1_member') return 'lvm'
  if (probe.usage === 'crypto') return 'encrypted'
  if (probe.usage === 'raid') return 'raid'
  if (probe.usage === 'filesystem') return 'file-system'
  if (probe.type !== undefined) return undefined
  if (entry.typeCode !== undefined && bootCodeTypes.has(entry.typeCode)) return 'boot-code'
  return probe.table === undefined ? 'unformatted' : 'container'
}

const fileSystems: Readonly<Record<string, FileSystemType>> = {
  ext2: 'ext2',
  ext3: 'ext3',
  ext4: 'ext4',
  ext4dev: 'ext4',
  xfs: 'xfs',
  btrfs: 'btrfs',
  ufs: 'ufs',
  zfs_member: 'zfs',
  ntfs: 'ntfs',
  exfat: 'exfat',
  ReFS: 'refs',
  f2fs: 'f2fs',
  jfs: 'jfs',
  reiserfs: 'reiserfs',
  squashfs: 'squashfs',
  iso9660: 'iso9660',
}

const fats: Readonly<Record<string, FileSystemType>> = { FAT12: 'fat12', FAT16: 'fat16', FAT32: 'fat32' }

/** The file system that blkid recognised, in the words of the fact document. */
export function fileSystemOf(probe: Probe): FileSystemType | undefined {
  if (probe.usage !== 'filesystem' || probe.type === undefined) return undefined
  if (probe.type === 'vfat') return fats[probe.version ?? ''] ?? 'other'
  return Object.hasOwn(fileSystems, probe.type) ? fileSystems[probe.type] : 'other'
}
