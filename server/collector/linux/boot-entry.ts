import type { GuestFiles } from '../guest.ts'

/** One entry of a boot loader: what it starts, and with which words. */
export interface BootEntry {
  readonly title: string
  /** Other names by which a default may mean it. */
  readonly ids: readonly string[]
  /** The kernel's path as the loader names it; undefined for an entry that starts something else. */
  readonly kernel: string | undefined
  readonly initramfs: readonly string[]
  /** Words of the kernel's command line. */
  readonly words: readonly string[]
}

/** What boots by default, as far as the loader's files tell. */
export interface DefaultBoot {
  readonly entry: BootEntry | undefined
  readonly entries: readonly BootEntry[]
}

/** A path of a loader without its device and without doubled slashes: (hd0,1)/vmlinuz becomes /vmlinuz. */
export function withoutDevice(path: string): string {
  const inside = path.replace(/^\([^)]{0,64}\)/, '').replace(/^\$\{?[A-Za-z_]{1,32}\}?/, '')
  return inside.startsWith('/') ? inside.replace(/\/{2,}/g, '/') : `/${inside}`
}

/**
 * Where the system sees a file that the loader sees by a path of its own: a separate /boot is the loader's top, and a
 * subvolume's name stands in front. Undefined when it is nowhere.
 */
export async function seenPath(files: GuestFiles, path: string): Promise<string | undefined> {
  const inside = withoutDevice(path)
  const stripped = inside.replace(/^\/(@|root|@rootfs|@\/\.snapshots\/\d{1,6}\/snapshot)(?=\/)/, '')
  const candidates = [
    ...new Set([inside, `/boot${inside}`, stripped, `/boot${stripped}`, `/boot/efi${inside}`, `/efi${inside}`]),
  ]
  const looks = await Promise.allSettled(candidates.map((one) => realPath(files, one)))
  for (const look of looks) if (look.status === 'fulfilled' && look.value !== undefined) return look.value
  // It may be on a volume that could not be read, which is not absence.
  for (const look of looks) if (look.status === 'rejected') throw look.reason
  return undefined
}

/** Follows the links at a path; undefined when nothing is behind them. */
async function realPath(files: GuestFiles, path: string): Promise<string | undefined> {
  let here = path
  for (let links = 0; links < 8; links++) {
    const stat = await files.stat(here)
    if (stat === undefined) return undefined
    if (stat.kind !== 'link') return stat.kind === 'file' ? here : undefined
    const target = stat.target ?? ''
    const directory = here.slice(0, here.lastIndexOf('/'))
    here = target.startsWith('/') ? target : joined(directory, target)
  }
  return undefined
}

function joined(directory: string, relative: string): string {
  const names = directory.split('/').filter((name) => name !== '')
  for (const name of relative.split('/')) {
    if (name === '..') names.pop()
    else if (name !== '' && name !== '.') names.push(name)
  }
  return `/${names.join('/')}`
}
