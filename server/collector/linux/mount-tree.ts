import type { GuestFiles } from '../guest.ts'
import { type FstabLine, mountedAtBoot, optionValue, parseFstab } from './fstab.ts'
import type { GuestVolume, LinuxInput } from './input.ts'
import { resolver } from './resolve.ts'
import { readText } from './text.ts'

/** Where the installed system mounts a volume, or a directory of it. */
export interface Mount {
  readonly mountPoint: string
  /** Undefined when what fstab mounts there is not in the image, or could not be found in it. */
  readonly volume: GuestVolume | undefined
  /** The directory of the volume that stands there: a subvolume or a deployment; empty for all of it. */
  readonly prefix: string
  readonly atBoot: boolean
  readonly readOnly: boolean
}

/** A volume that could be root. */
export interface Root {
  readonly volume: GuestVolume
  readonly files: GuestFiles
  readonly prefix: string
  readonly lines: readonly FstabLine[] | undefined
}

/** Directories of one volume that distributions mount at / instead of the whole: subvolumes of btrfs. */
const prefixes = ['', '/@', '/@/.snapshots/1/snapshot', '/@rootfs', '/root']
const signs = ['/etc/os-release', '/usr/lib/os-release', '/etc/redhat-release', '/etc/SuSE-release', '/etc/lsb-release']
const otherSigns = ['/etc/debian_version', '/etc/passwd', '/bin/freebsd-version']

async function ostreeDeployments(files: GuestFiles): Promise<string[]> {
  const systems = (await files.list('/ostree/deploy').catch(() => undefined)) ?? []
  const lists = await Promise.all(
    systems.slice(0, 4).map(async ({ name }) => {
      const entries = (await files.list(`/ostree/deploy/${name}/deploy`).catch(() => undefined)) ?? []
      return entries
        .filter((entry) => entry.kind === 'directory')
        .map((entry) => `/ostree/deploy/${name}/deploy/${entry.name}`)
    }),
  )
  return lists.flat().slice(0, 2)
}

async function candidate(
  volume: GuestVolume,
  files: GuestFiles,
  prefix: string,
): Promise<(Root & { score: number }) | undefined> {
  const there = async (path: string) => ((await files.stat(prefix + path)) === undefined ? 0 : 1)
  const [fstab, etc, ...found] = await Promise.all([
    readText(files, `${prefix}/etc/fstab`),
    there('/etc'),
    ...[...signs, ...otherSigns].map(there),
  ])
  const signed = found.reduce<number>((sum, one) => sum + one, 0)
  if (etc === 0 || (fstab === undefined && signed === 0)) return undefined
  return { volume, files, prefix, lines: fstab === undefined ? undefined : parseFstab(fstab), score: signed }
}

/** True when the fstab on a volume says that this volume is root. */
function namesItself(root: Root, input: LinuxInput): boolean {
  const lines = root.lines ?? []
  const own = lines.find((line) => line.mountPoint === '/')
  return own !== undefined && resolver(input, lines).find(own) === root.volume.block
}

/**
 * The volume that is mounted at /: of several the one whose own fstab says so, else the one with most of a system. Volumes that
 * could not be read are told, because the root may be among them.
 */
export async function findRoot(input: LinuxInput): Promise<{ root: Root | undefined; failures: readonly unknown[] }> {
  const failures: unknown[] = []
  const all = await Promise.all(
    input.volumes.map(async (volume) => {
      const { files } = volume
      if (files === undefined) return []
      const look = (prefix: string) =>
        candidate(volume, files, prefix).catch((error: unknown) => {
          failures.push(error)
          return undefined
        })
      if (volume.facts.fileSystem === 'btrfs') return Promise.all(prefixes.map(look))
      const deployed = ostreeDeployments(files).then((places) => Promise.all(places.map(look)))
      return [await look(''), ...(await deployed)]
    }),
  )
  const found = all.flat().filter((one) => one !== undefined)
  const rank = (one: Root & { score: number }) => one.score + (namesItself(one, input) ? 100 : 0)
  return { root: found.sort((a, b) => rank(b) - rank(a))[0], failures }
}

/** The subvolume that a line mounts. */
function prefixOf(line: FstabLine, volume: GuestVolume | undefined): string {
  const subvolume = optionValue(line, 'subvol')
  return subvolume === undefined || volume?.facts.fileSystem !== 'btrfs' ? '' : `/${subvolume.replace(/^\/+/, '')}`
}

/** Every mount of a block device or of a network that fstab states, root first. */
export function mountsOf(input: LinuxInput, root: Root): Mount[] {
  const lines = root.lines ?? []
  const { find } = resolver(input, lines)
  const own = lines.find((line) => line.mountPoint === '/')
  const mounts: Mount[] = [
    {
      mountPoint: '/',
      volume: root.volume,
      prefix: root.prefix,
      atBoot: true,
      readOnly: own?.options.includes('ro') ?? false,
    },
  ]
  for (const line of lines) {
    if (!line.mountPoint.startsWith('/') || line.mountPoint === '/' || line.type === 'swap') continue
    const block = find(line)
    const volume = block && input.volumes.find((one) => one.block === block)
    if (volume === undefined && ['pseudo', 'removable', 'file-path'].includes(line.kind)) continue
    const mountPoint = line.mountPoint.replace(/(.)\/+$/, '$1')
    const readOnly = line.options.includes('ro')
    mounts.push({ mountPoint, volume, prefix: prefixOf(line, volume), atBoot: mountedAtBoot(line), readOnly })
  }
  return mounts
}
