import { gunzipSync } from 'node:zlib'
import type { Boot, Disk, DriverPlace } from '../../documents/facts.ts'
import type { GuestFiles } from '../guest.ts'
import type { Missing } from '../part.ts'
import { allDrivers, type Driver } from './drivers.ts'
import { roleByType } from './partition-types.ts'
import { isYes } from './rc-conf.ts'
import { assignments, atMost, readText, shown, stated } from './text.ts'
import { type Found, missing } from './topic.ts'

const maxKernelBytes = 96 * 1_048_576
/** Of a packed one, which is there beside what it holds. */
const maxPackedBytes = 48 * 1_048_576
const maxFiles = 128

/** How each driver shows in a kernel, as bus and name, and which module brings it. */
const known: Readonly<Record<Driver, { marks: readonly string[]; module: string | undefined }>> = {
  virtioBlk: { marks: ['virtio_pci/virtio_blk'], module: 'virtio_blk' },
  virtioPci: { marks: ['pci/virtio_pci', 'pci/vtpci_'], module: 'virtio_pci' },
  virtioNet: { marks: ['virtio_pci/vtnet'], module: 'if_vtnet' },
  xenBlkfront: { marks: ['xenbusb_front/xbd'], module: undefined },
  xenNetfront: { marks: ['xenbusb_front/xn'], module: undefined },
}

/** The loader's settings, its defaults first. */
export async function readLoaderConf(files: GuestFiles): Promise<Map<string, string>> {
  const entries = (await files.list('/boot/loader.conf.d')) ?? []
  const own = entries.map(({ name }) => name).filter((name) => name.endsWith('.conf'))
  const paths = [
    '/boot/defaults/loader.conf',
    '/boot/loader.conf',
    ...own.sort().map((name) => `/boot/loader.conf.d/${name}`),
  ]
  const wanted = atMost(maxFiles, 'files of loader.conf', [...paths, '/boot/loader.conf.local'])
  const texts = await Promise.all(wanted.map((path) => readText(files, path)))
  return new Map(texts.flatMap((text) => [...assignments(text ?? '')]))
}

async function readKernel(files: GuestFiles, directory: string): Promise<Buffer | undefined> {
  const plain = await files.read(`${directory}/kernel`, maxKernelBytes)
  if (plain !== undefined) return plain
  const packed = await files.read(`${directory}/kernel.gz`, maxPackedBytes)
  return packed === undefined ? undefined : gunzipSync(packed, { maxOutputLength: maxKernelBytes })
}

function releaseIn(kernel: Buffer): string | undefined {
  const at = kernel.indexOf('@(#)FreeBSD ')
  if (at < 0) return undefined
  return /^[0-9]+\.[0-9]+-[A-Za-z0-9-]{1,32}/.exec(kernel.toString('latin1', at + 12, at + 64))?.[0]
}

/** The loader, and the firmware for which the disk can start. */
export async function freebsdLoader(files: GuestFiles, disk: Disk | undefined): Promise<Found> {
  const programs = await Promise.all(
    ['/boot/loader', '/boot/loader.efi', '/boot/loader_lua'].map((path) => files.stat(path)),
  )
  const roles = disk?.partitions?.map(roleByType)
  const [bios, efi] = [roles?.includes('freebsd-boot') || disk?.partitionTable === 'mbr', roles?.includes('efi-system')]
  const firmware: Boot['firmware'] | undefined =
    roles === undefined ? undefined : efi ? (bios ? 'both' : 'uefi') : 'bios'
  const there = programs.some((stat) => stat !== undefined)
  const boot: Boot = stated({ firmware, loader: there ? ('freebsd-loader' as const) : undefined })
  const lost = there ? [] : [missing('/boot/loader', 'not-found', 'No loader stands in /boot.')]
  return { facts: Object.keys(boot).length > 0 ? { boot } : {}, missing: lost }
}

/** The kernel and where its drivers are: in it, loaded before it, or beside it. */
export async function freebsdKernel(files: GuestFiles): Promise<Found> {
  const settings = await readLoaderConf(files)
  const named = settings.get('kernel') ?? 'kernel'
  const directory = /^[A-Za-z0-9._-]{1,64}$/.test(named) ? `/boot/${named}` : '/boot/kernel'
  const [kernel, entries, more] = await Promise.all([
    readKernel(files, directory),
    files.list(directory),
    files.list('/boot/modules'),
  ])
  const pointer = '/boot/defaultKernel'
  if (kernel === undefined) return { facts: {}, missing: [missing(pointer, 'not-found', 'The kernel does not exist.')] }
  const modules = new Set([...(entries ?? []), ...(more ?? [])].map(({ name }) => name))
  const placeOf = (driver: Driver): DriverPlace => {
    const { marks, module } = known[driver]
    if (marks.some((mark) => kernel.includes(mark))) return 'built-in'
    if (module === undefined || !modules.has(`${module}.ko`)) return 'absent'
    return isYes(settings.get(`${module}_load`)) ? 'loader' : 'module'
  }
  const places = Object.fromEntries(allDrivers.map((driver) => [driver, placeOf(driver)]))
  const release = shown(releaseIn(kernel), 128)
  const lost: Missing[] = []
  if (release === undefined)
    lost.push(missing(`${pointer}/release`, 'not-named', 'The kernel does not tell its release.'))
  return { facts: { boot: { defaultKernel: stated({ release, ...places }) } }, missing: lost }
}
