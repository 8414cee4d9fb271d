import type { FstabEntry } from '../../documents/facts.ts'
import { contentLines, wordsOf } from './text.ts'

/** What kind of thing the first field of an fstab line names. */
export type SourceKind = FstabEntry['sourceKind']

/** One line of fstab. */
export interface FstabLine {
  readonly source: string
  readonly kind: SourceKind
  /** What the source says behind UUID=, LABEL= or the by-… directory; the source itself for other kinds. */
  readonly key: string
  readonly mountPoint: string
  readonly type: string
  readonly options: readonly string[]
}

const networkTypes =
  /^(nfs4?|cifs|smb(fs|3)?|glusterfs|ceph|fuse\.(sshfs|glusterfs|ceph|s3fs)|sshfs|davfs|afs|ncpfs|lustre|9p|virtiofs|gfs2|ocfs2)$/
const pseudoTypes =
  /^(proc|sysfs|devpts|tmpfs|devtmpfs|ramfs|debugfs|securityfs|cgroup2?|usbfs|usbdevfs|configfs|hugetlbfs|mqueue|fusectl|binfmt_misc|tracefs|selinuxfs|efivarfs|bpf|pstore|rpc_pipefs|nfsd|autofs|overlay|overlayfs|aufs|fdescfs|procfs|linprocfs|linsysfs|mqueuefs|devfs|ignore)$/
const removable = /^\/dev\/(cdrom|cdrw|dvd|dvdrw|floppy|fd|sr|scd|cd|acd)\d*$/
const kernelDevice =
  /^\/dev\/((sd|hd|vd|xvd)[a-z]{1,3}\d{0,3}|nvme\d{1,3}n\d{1,3}(p\d{1,3})?|mmcblk\d{1,3}(p\d{1,3})?|(ada|da|ad|vtbd|nvd|nda)\d{1,3}([ps]\d{1,3}[a-h]?)?|root)$/

/** The prefixes of sources that name by identity; by-links stand for the same. */
const identities: readonly (readonly [prefix: string, kind: SourceKind])[] = [
  ['UUID=', 'uuid'],
  ['LABEL=', 'label'],
  ['PARTUUID=', 'partuuid'],
  ['PARTLABEL=', 'partlabel'],
  ['/dev/disk/by-uuid/', 'uuid'],
  ['/dev/disk/by-label/', 'label'],
  ['/dev/disk/by-partuuid/', 'partuuid'],
  ['/dev/disk/by-partlabel/', 'partlabel'],
  ['/dev/gpt/', 'partlabel'],
  ['/dev/gptid/', 'partuuid'],
  ['/dev/ufsid/', 'uuid'],
  ['/dev/ufs/', 'label'],
  ['/dev/label/', 'label'],
]

/** What udev writes for characters that a link's name cannot hold. */
function unhex(text: string): string {
  return text.replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function bare(text: string): string {
  const match = /^"(.*)"$|^'(.*)'$/.exec(text)
  return match?.[1] ?? match?.[2] ?? text
}

function classify(source: string, type: string, options: readonly string[]): { kind: SourceKind; key: string } {
  const found = identities.find(([prefix]) => source.startsWith(prefix))
  if (found) {
    const key = source.slice(found[0].length)
    return { kind: found[1], key: found[0].startsWith('/') ? unhex(key) : bare(key) }
  }
  const kind = ((): SourceKind => {
    if (networkTypes.test(type) || source.startsWith('//') || /^[^/:]+:\//.test(source)) return 'network'
    if (options.some((option) => option === 'bind' || option === 'rbind') || type === 'nullfs') return 'file-path'
    if (pseudoTypes.test(type)) return 'pseudo'
    if (removable.test(source)) return 'removable'
    if (kernelDevice.test(source)) return 'kernel-device'
    if (/^\/dev\/mapper\/[^/]+$/.test(source)) return 'mapper'
    if (source.startsWith('/dev/'))
      return /^\/dev\/(?!disk\/|md|zvol\/|dm-)[^/]+\/[^/]+$/.test(source) ? 'mapper' : 'other'
    if (source.startsWith('/')) return 'file-path'
    return source === 'none' && type !== 'swap' ? 'pseudo' : 'other'
  })()
  return { kind, key: source }
}

/** What fstab's octal escapes stand for: blank, tab, line end, backslash, number sign. */
function decoded(field: string): string {
  return field.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

/** The lines of an fstab that are entries; a line with one field only is none. */
export function parseFstab(text: string): FstabLine[] {
  return contentLines(text).flatMap((line) => {
    const [first = '', second, third = 'auto', fourth = 'defaults'] = wordsOf(line).map(decoded)
    if (second === undefined) return []
    const options = fourth.split(',')
    return [{ source: first, ...classify(first, third, options), mountPoint: second, type: third, options }]
  })
}

/** The value of an option that has one. */
export function optionValue(line: FstabLine, name: string): string | undefined {
  return line.options.find((option) => option.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** Mounted, or switched on, at boot. */
export function mountedAtBoot(line: FstabLine): boolean {
  return !line.options.includes('noauto')
}
