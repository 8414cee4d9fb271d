import type { Boot, Disk } from '../../documents/facts.ts'
import { filePieces, GuestError, type GuestFiles, largestReadBytes } from '../guest.ts'
import type { Missing } from '../part.ts'
import { type BootEntry, seenPath } from './boot-entry.ts'
import { allDrivers, initramfsModules, kernelDrivers, placeOf } from './drivers.ts'
import { initramfsNames } from './initramfs.ts'
import type { LinuxInput } from './input.ts'
import { kernelRelease } from './kernel.ts'
import type { Loader } from './loaders.ts'
import { roleByType } from './partition-types.ts'
import { selinuxOnCommandLine } from './selinux.ts'
import { shown, stated } from './text.ts'
import { type Found, missing, missingFor } from './topic.ts'

/** An initramfs, the microcode beside it, and what an administrator may add. */
const maxInitramfs = 8

const biosLoaders = [
  '/boot/grub/i386-pc',
  '/boot/grub2/i386-pc',
  '/boot/coreos/grub/i386-pc',
  '/boot/grub/stage2',
  '/boot/extlinux/ldlinux.sys',
  '/boot/map',
]

/** The loader's name, and the firmware for which the disk can start. */
export async function loaderFacts(
  files: GuestFiles,
  disk: Disk | undefined,
  loader: Loader | undefined,
): Promise<Found> {
  const lost: Missing[] = []
  const found = await Promise.all(biosLoaders.map((path) => files.stat(path)))
  const bios = found.some((stat) => stat !== undefined)
  const efi = disk?.partitions?.some((partition) => roleByType(partition) === 'efi-system')
  const firmware: Boot['firmware'] | undefined = efi === undefined ? undefined : !efi ? 'bios' : bios ? 'both' : 'uefi'
  if (firmware === undefined) lost.push(missing('/boot/firmware', 'undeterminable', 'The partitions are not known.'))
  if (loader === undefined)
    lost.push(missing('/boot/loader', 'not-found', 'No configuration of a boot loader was found.'))
  const boot: Boot = stated({ firmware, loader: loader?.name })
  return { facts: Object.keys(boot).length > 0 ? { boot } : {}, missing: lost }
}

/** What the default entry's command line says of SELinux. */
export function commandLineFacts(loader: Loader | undefined): Found {
  const entry = loader?.boot.entry
  if (entry?.kernel === undefined) {
    const lost = missing(
      '/security/selinux/kernelCommandLine',
      'not-found',
      'The entry that boots by default was not found.',
    )
    return { facts: {}, missing: [lost] }
  }
  return { facts: { security: { selinux: { kernelCommandLine: selinuxOnCommandLine(entry.words) } } } }
}

/** What the initramfs of the default entry holds, while it is read. */
export interface Listing {
  /** Its first bytes are on their way, or there are none to come. */
  readonly begun: Promise<void>
  /** Its modules. Rejects with a GuestError. */
  readonly modules: Promise<Set<string>>
}

async function modulesInInitramfs(
  files: GuestFiles,
  entry: BootEntry,
  { decompress, packedNames }: Pick<LinuxInput, 'decompress' | 'packedNames'>,
  begin: () => void,
): Promise<Set<string>> {
  const names = new Set<string>()
  const paths = [...new Set(entry.initramfs)]
  if (paths.length > maxInitramfs) throw new GuestError('unsupported', 'The default entry names too many initramfs.')
  for (const path of paths) {
    const seen = await seenPath(files, path)
    const pieces = seen === undefined ? undefined : await filePieces(files, seen, largestReadBytes)
    // A microcode image beside the initramfs may be missing; the kernel starts without it.
    if (pieces === undefined && /ucode/.test(path)) continue
    if (pieces === undefined) throw new GuestError('not-found', 'The initramfs of the default entry does not exist.')
    begin()
    const listed = await initramfsNames(pieces, decompress, packedNames)
    if (listed === undefined) throw new GuestError('unsupported', 'The initramfs has a form that is not known.')
    for (const name of initramfsModules(listed)) names.add(name)
  }
  return names
}

/** Begins to read the initramfs of the entry that boots by default. It may be inside the kernel, where nothing lists it. */
export function listInitramfs(
  input: LinuxInput,
  files: GuestFiles,
  loading: Promise<Loader | undefined>,
  initramfsInKernel: boolean,
): Listing {
  let begin: () => void = () => undefined
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const modules = (async () => {
    const entry = (await loading)?.boot.entry
    if (entry === undefined || (initramfsInKernel && entry.initramfs.length === 0)) {
      throw new GuestError('unsupported', 'The initramfs is inside the kernel, where it is not read.')
    }
    return modulesInInitramfs(files, entry, input, begin)
  })()
  modules.then(begin, begin)
  return { begun, modules }
}

/** The kernel that boots by default, and where its drivers are. */
export async function kernelFacts(files: GuestFiles, loader: Loader | undefined, { modules }: Listing): Promise<Found> {
  const pointer = '/boot/defaultKernel'
  const entry = loader?.boot.entry
  if (entry?.kernel === undefined) {
    return { facts: {}, missing: [missing(pointer, 'not-found', 'The entry that boots by default was not found.')] }
  }
  const lost: Missing[] = []
  let reason: Missing = missing(
    '',
    'undeterminable',
    'Neither the options of the kernel nor a list of its drivers was found.',
  )
  const listing = modules.catch((error: unknown) => {
    reason = missingFor([''], 'the initramfs', error)[0] ?? reason
    return undefined
  })
  const path = await seenPath(files, entry.kernel)
  if (path === undefined) {
    return { facts: {}, missing: [missing(pointer, 'not-found', 'The kernel of the default entry does not exist.')] }
  }
  const release = await kernelRelease(files, path)
  if (release === undefined) {
    return {
      facts: {},
      missing: [missing(pointer, 'not-named', 'The release of the default kernel could not be told.')],
    }
  }
  const [drivers, listed] = await Promise.all([kernelDrivers(files, release), listing])
  const places = allDrivers.map((driver) => {
    const place = placeOf(driver, drivers, listed)
    if (place === undefined) lost.push({ ...reason, pointer: `${pointer}/${driver}` })
    return [driver, place] as const
  })
  const defaultKernel: NonNullable<Boot['defaultKernel']> = stated({
    release: shown(release, 128),
    ...Object.fromEntries(places),
  })
  return { facts: { boot: { defaultKernel } }, missing: lost }
}
