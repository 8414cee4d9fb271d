import type { FstabLine } from './fstab.ts'
import type { BlockDevice, LinuxInput } from './input.ts'

/** The disk and the partition that a kernel's device name tells; no number for a whole disk. */
export function kernelName(source: string): { disk: string; number?: number } | undefined {
  const name = source.replace(/^\/dev\//, '')
  const joined = /^((?:sd|hd|vd|xvd)[a-z]+)(\d+)?$/.exec(name)
  const parted = /^((?:nvme\d+n|mmcblk)\d+)(?:p(\d+))?$/.exec(name)
  const bsd = /^((?:ada|da|ad|vtbd|nvd|nda)\d+)(?:[ps](\d+)[a-h]?)?$/.exec(name)
  const match = joined ?? parted ?? bsd
  if (match?.[1] === undefined) return undefined
  return match[2] === undefined ? { disk: match[1] } : { disk: match[1], number: Number(match[2]) }
}

/** Names under which the first disk of a machine goes; on some XEN hosts it is xvde. */
const firstDisks = /^(sda|hda|vda|xvda|xvde|nvme0n1|mmcblk0|ada0|da0|ad0|vtbd0|nvd0|nda0)$/

/** What finds the block device that a source names. */
export interface Resolver {
  /** The device; undefined when none is known by that name. */
  find(line: FstabLine): BlockDevice | undefined
  /** Whether it is there; undefined when it cannot be told. */
  exists(line: FstabLine): boolean | undefined
}

/** Makes the resolver for an image. The disk that root's own line names is the image's, whatever letter it has. */
export function resolver(input: LinuxInput, lines: readonly FstabLine[]): Resolver {
  const blocks = [...input.volumes.map(({ block }) => block), ...input.otherBlocks]
  const root = lines.find((line) => line.mountPoint === '/' && line.kind === 'kernel-device')
  const rootDisk = root && kernelName(root.source)?.disk
  const isThisDisk = (disk: string) => (rootDisk === undefined ? firstDisks.test(disk) : disk === rootDisk)
  const partitions = input.disk?.partitions

  const find = ({ kind, key, source }: FstabLine): BlockDevice | undefined => {
    const same = (value: string | undefined) => value !== undefined && value.toLowerCase() === key.toLowerCase()
    if (kind === 'uuid') return blocks.find(({ uuid }) => same(uuid) || same(uuid?.replace('-', '')))
    if (kind === 'label') return blocks.find(({ label }) => label === key)
    if (kind === 'partuuid') return blocks.find(({ partitionUuid }) => same(partitionUuid))
    if (kind === 'partlabel') return blocks.find(({ partitionLabel }) => partitionLabel === key)
    if (kind === 'mapper')
      return blocks.find(({ mapperNames }) => mapperNames?.includes(source.replace(/^\/dev\//, '')))
    const name = kind === 'kernel-device' ? kernelName(source) : undefined
    if (name === undefined || !isThisDisk(name.disk)) return undefined
    return blocks.find(
      ({ partitionNumber, mapperNames }) => partitionNumber === name.number && mapperNames === undefined,
    )
  }

  const exists = (line: FstabLine): boolean | undefined => {
    if (['network', 'pseudo', 'removable', 'other', 'file-path'].includes(line.kind)) return undefined
    if (find(line) !== undefined) return true
    const name = line.kind === 'kernel-device' ? kernelName(line.source) : undefined
    if (line.kind === 'kernel-device') {
      if (name === undefined) return undefined
      if (!isThisDisk(name.disk)) return false
      return partitions && name.number !== undefined
        ? partitions.some(({ number }) => number === name.number)
        : input.complete
          ? false
          : undefined
    }
    return input.complete ? false : undefined
  }
  return { find, exists }
}
