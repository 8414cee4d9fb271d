/** A program that collecting uses. */
export interface Tool {
  /** The Debian package that brings it. */
  readonly package: string
  /** What stays unknown without it. */
  readonly serves: string
}

/** Every program that reads an image, by name: what it is for, and which Debian package brings it. */
export const tools = {
  'qemu-storage-daemon': {
    package: 'qemu-system-common',
    serves: 'the disk inside QCOW2 and VHD, shown without a copy',
  },
  'qemu-img': { package: 'qemu-utils', serves: 'the check of a QCOW2; the disk inside where FUSE is not available' },
  sfdisk: { package: 'fdisk', serves: 'the partition table and partitions' },
  blkid: { package: 'util-linux', serves: 'the content of partitions, and so every volume' },
  prlimit: { package: 'util-linux', serves: 'everything: no program runs without limits' },
  setpriv: { package: 'util-linux', serves: 'dropping privileges where there is no sandbox' },
  nsenter: { package: 'util-linux', serves: 'one sandbox for all programs that read an image' },
  bwrap: { package: 'bubblewrap', serves: 'the sandbox; programs run with limits alone without it' },
  fusermount3: { package: 'fuse3', serves: 'showing the disk to an ordinary user where there is no sandbox' },
  tune2fs: { package: 'e2fsprogs', serves: 'features and sizes of ext2, ext3 and ext4' },
  debugfs: { package: 'e2fsprogs', serves: 'files on ext2, ext3 and ext4' },
  e2fsck: { package: 'e2fsprogs', serves: 'the check of ext2, ext3 and ext4' },
  xfs_db: { package: 'xfsprogs', serves: 'features, sizes and file attributes of XFS' },
  xfs_repair: { package: 'xfsprogs', serves: 'the check of XFS' },
  'grub-fstest': { package: 'grub-common', serves: 'file contents on XFS, btrfs, FAT, UFS and logical volumes' },
  ntfsinfo: { package: 'ntfs-3g', serves: 'state and sizes of NTFS, attributes of its files' },
  ntfsls: { package: 'ntfs-3g', serves: 'directories on NTFS' },
  ntfscat: { package: 'ntfs-3g', serves: 'file contents on NTFS' },
  'fsck.fat': { package: 'dosfstools', serves: 'the check of FAT' },
  btrfs: { package: 'btrfs-progs', serves: 'sizes and the check of btrfs' },
  hivexsh: { package: 'libhivex-bin', serves: 'everything that the Windows registry tells' },
  zstd: { package: 'zstd', serves: 'drivers in an initramfs that zstd compressed, where Node cannot undo it' },
  xz: { package: 'xz-utils', serves: 'drivers in an initramfs that xz or lzma compressed' },
  bzip2: { package: 'bzip2', serves: 'drivers in an initramfs that bzip2 compressed' },
  lzop: { package: 'lzop', serves: 'drivers in an initramfs that lzop compressed' },
} as const satisfies Record<string, Tool>

export type ToolName = keyof typeof tools
