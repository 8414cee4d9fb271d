import type { DriverPlace } from '../../documents/facts.ts'
import type { GuestFiles } from '../guest.ts'
import { linesOf, readText } from './text.ts'

const maxListBytes = 8 * 1_048_576

/** The drivers that a cloud's machine needs. */
export type Driver = 'virtioBlk' | 'virtioPci' | 'virtioNet' | 'xenBlkfront' | 'xenNetfront'

/** Every driver, in the order of the schema. */
export const allDrivers: readonly Driver[] = ['virtioBlk', 'virtioPci', 'virtioNet', 'xenBlkfront', 'xenNetfront']

/** How each driver is called as a module and as an option of the kernel; xen-vbd and xen-vnif are release 5's names. */
const driverNames: Readonly<Record<Driver, { modules: readonly string[]; option: string; disk: boolean }>> = {
  virtioBlk: { modules: ['virtio_blk'], option: 'CONFIG_VIRTIO_BLK', disk: true },
  virtioPci: { modules: ['virtio_pci'], option: 'CONFIG_VIRTIO_PCI', disk: true },
  virtioNet: { modules: ['virtio_net'], option: 'CONFIG_VIRTIO_NET', disk: false },
  xenBlkfront: { modules: ['xen_blkfront', 'xen_vbd'], option: 'CONFIG_XEN_BLKDEV_FRONTEND', disk: true },
  xenNetfront: { modules: ['xen_netfront', 'xen_vnif'], option: 'CONFIG_XEN_NETDEV_FRONTEND', disk: false },
}

/** The module that a path names, in the kernel's spelling; undefined for another file. */
export function moduleOf(path: string): string | undefined {
  const name = /([^/]+)\.ko(?:\.(?:gz|xz|zst|bz2))?$/.exec(path)?.[1]
  return name?.replaceAll('-', '_')
}

function modulesOf(paths: readonly string[]): Set<string> {
  return new Set(paths.map(moduleOf).filter((name) => name !== undefined))
}

/** What is known of one kernel's drivers. A member is undefined when nothing tells it. */
export interface KernelDrivers {
  readonly options: ReadonlyMap<string, string> | undefined
  readonly builtIn: ReadonlySet<string> | undefined
  readonly modules: ReadonlySet<string> | undefined
}

const otherDirectories = [
  'kernel/drivers/virtio',
  'kernel/drivers/block',
  'kernel/drivers/net',
  'extra',
  'updates',
  'weak-updates',
]

async function moduleSet(files: GuestFiles, base: string): Promise<Set<string> | undefined> {
  const [dependencies, directory] = await Promise.all([
    readText(files, `${base}/modules.dep`, maxListBytes),
    files.list(base),
  ])
  if (dependencies !== undefined) return modulesOf(linesOf(dependencies).map((line) => line.split(':', 1)[0] ?? ''))
  if (directory === undefined) return new Set()
  const lists = await Promise.all(otherDirectories.map((name) => files.list(`${base}/${name}`)))
  return modulesOf(lists.flatMap((list) => (list ?? []).map(({ name }) => name)))
}

/** Reads what the files beside a kernel tell of its drivers. */
export async function kernelDrivers(files: GuestFiles, release: string): Promise<KernelDrivers> {
  const base = `/lib/modules/${release}`
  const configs = [`/boot/config-${release}`, `${base}/config`, `/usr/boot/config-${release}`, `${base}/build/.config`]
  const [builtIn, modules, ...texts] = await Promise.all([
    readText(files, `${base}/modules.builtin`, maxListBytes),
    moduleSet(files, base),
    ...configs.map((path) => readText(files, path)),
  ])
  const config = texts.find((text) => text !== undefined)
  const options = config?.matchAll(/^(CONFIG_[A-Z0-9_]{1,64})=([ym])$/gm)
  return {
    options: options && new Map([...options].map((match) => [match[1] ?? '', match[2] ?? ''])),
    builtIn: builtIn === undefined ? undefined : modulesOf(linesOf(builtIn)),
    modules,
  }
}

/**
 * Where a driver is; undefined when it cannot be told. Without a readable initramfs a disk driver that is a module is
 * unknown; a network driver is at least a module.
 */
export function placeOf(
  driver: Driver,
  kernel: KernelDrivers,
  initramfs: ReadonlySet<string> | undefined,
): DriverPlace | undefined {
  const { modules, option, disk } = driverNames[driver]
  const among = (set: ReadonlySet<string> | undefined) => modules.some((name) => set?.has(name))
  if (kernel.options?.get(option) === 'y' || among(kernel.builtIn)) return 'built-in'
  if (among(initramfs)) return 'initramfs'
  const told = kernel.options !== undefined || kernel.builtIn !== undefined
  if (among(kernel.modules)) return initramfs === undefined && disk ? undefined : 'module'
  return told && kernel.modules !== undefined ? 'absent' : undefined
}

/** The modules in an initramfs, by the names of its files. */
export function initramfsModules(names: readonly string[]): Set<string> {
  return modulesOf(names)
}
