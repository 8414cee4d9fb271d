import type { FileSystemType, Volume } from '../../documents/facts.ts'
import type { Range } from '../disk/partitions.ts'
import type { VirtualDisk } from '../disk/virtual-disk.ts'
import type { GuestFiles } from '../guest.ts'
import type { Missing } from '../part.ts'
import type { GuestRead } from '../sniff/result.ts'
import type { Toolbox } from '../tools/toolbox.ts'
import type { Names } from './names.ts'

/** Where a volume stands. */
export interface VolumeSource {
  readonly tools: Toolbox
  readonly disk: VirtualDisk
  readonly range: Range
  readonly names: Names
  readonly fileSystem: FileSystemType
  /** Our own reader of the container, where it can read it. */
  readonly guest?: GuestRead | undefined
  /** Whether the integrity check, the slowest part, is wanted. */
  readonly check: boolean
}

/** What the full check of a volume tells, or why it tells nothing. */
export type Checked = Pick<VolumeReading, 'facts' | 'missing'>

/** What a file system's own programs tell. Members that could not be had stand in missing, by pointers within the volume. */
export interface VolumeReading {
  readonly facts: Volume
  readonly files?: GuestFiles
  readonly missing: readonly Missing[]
  /** The check, the slowest part, which runs while files are read; absent where the facts have it already, or none is made. */
  readonly checking?: Promise<Checked>
  /** The programs that were asked, for collection/sources. */
  readonly method: string
}

/** One kind of file system. */
export type VolumeDriver = (source: VolumeSource) => Promise<VolumeReading>

/** A volume of the image. The operating-system side adds role, mount point and the like to a copy of its facts. */
export interface OpenVolume extends VolumeReading {
  /** Where the volume begins on the disk, and its length; absent for a logical volume in several pieces. */
  readonly range?: Range
}
