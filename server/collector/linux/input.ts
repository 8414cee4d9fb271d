import type { Disk, Volume } from '../../documents/facts.ts'
import type { GuestFiles, Pieces } from '../guest.ts'
import type { PackedNames } from './packed-names.ts'

/** What fstab can name: a partition, a logical volume, a swap area, a bare disk. */
export interface BlockDevice {
  /** The name by which the report calls it. */
  readonly device: string
  /** Undefined for a logical volume and for a bare disk. */
  readonly partitionNumber?: number
  /** UUID or serial number and label of what lies on it: a file system, a swap area, an encrypted volume. */
  readonly uuid?: string
  readonly label?: string
  /** From a GPT; on an MBR disk the disk's signature, a hyphen and the number. */
  readonly partitionUuid?: string
  readonly partitionLabel?: string
  /** Names of a logical volume below /dev: vg0/root and mapper/vg0-root. */
  readonly mapperNames?: readonly string[]
}

/** One file system of the image. */
export interface GuestVolume {
  /** What is known of it without its role: device, partitionNumber, fileSystem, encryption, uuid, label, check, sizes. */
  readonly facts: Volume
  readonly block: BlockDevice
  /** Undefined when nothing can read it. */
  readonly files?: GuestFiles
  /** The system could write to it: not read-only by type, flag or feature; undefined when that is not known. */
  readonly writable?: boolean
}

/** Compressions of an initramfs that Node cannot undo everywhere. */
export type Compression = 'zstd' | 'xz' | 'lzma' | 'bzip2' | 'lzo'

/** Undoes a compression of pieces, in chunks; whoever takes them may stop early. */
export type Decompress = (compression: Compression, packed: Pieces) => AsyncIterable<Buffer>

/** Everything that the Linux and FreeBSD half of collecting works on. */
export interface LinuxInput {
  /** Every file system of the image, encrypted ones included. */
  readonly volumes: readonly GuestVolume[]
  /** Whatever else can be named: swap areas, unformatted partitions. */
  readonly otherBlocks: readonly BlockDevice[]
  /** The lists of volumes and blocks are complete, down to logical volumes. */
  readonly complete: boolean
  /** The disk as its partition table and contents tell it; roles that only the guest knows are left out. */
  readonly disk?: Disk
  /** Reads what Node cannot; without it such an initramfs is unknown. */
  readonly decompress?: Decompress
  /** Reads the names in a packed initramfs, in a thread where that pays; in ours without it. */
  readonly packedNames?: PackedNames
  /** Told when the longest reading goes on by itself, so that what else needs our thread may begin. */
  readonly onReading?: () => void
  /** Compare system files with the package database's digests, which takes seconds. */
  readonly verifySystemFiles?: boolean
}
