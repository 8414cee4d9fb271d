import type { Boot, Files } from '../../documents/facts.ts'
import type { GuestFiles } from '../guest.ts'
import { specifiedEntry, specifiedFiles } from './bls.ts'
import { type BootEntry, type DefaultBoot, seenPath } from './boot-entry.ts'
import { readExtlinux } from './extlinux.ts'
import { readMenuLst } from './grub-legacy.ts'
import { GrubVariables } from './grub-variables.ts'
import { parseGrubenv, readGrubCfg } from './grub2.ts'
import { readLilo } from './lilo.ts'
import { atMost, contentLines, readText, wordsOf } from './text.ts'

const menuLst = '/boot/grub/menu.lst'
const grubConfigs = ['/boot/grub/grub.cfg', '/boot/grub2/grub.cfg', '/boot/coreos/grub/grub.cfg']
const efiDirectories = ['/boot/efi/EFI', '/efi/EFI', '/boot/EFI']
const entryDirectories = ['/boot/loader/entries', '/efi/loader/entries', '/boot/efi/loader/entries']
const extlinuxFiles = [
  '/boot/extlinux/extlinux.conf',
  '/boot/syslinux/syslinux.cfg',
  '/boot/extlinux.conf',
  '/extlinux.conf',
]

const maxEfi = 32
const maxKernels = 1024

/** A loader and what it starts. */
export interface Loader {
  readonly name: NonNullable<Boot['loader']>
  readonly boot: DefaultBoot
}

async function firstText(
  files: GuestFiles,
  paths: readonly string[],
): Promise<{ path: string; text: string } | undefined> {
  const texts = await Promise.all(paths.map((path) => readText(files, path)))
  const at = texts.findIndex((text) => text !== undefined)
  const [path, text] = [paths[at], texts[at]]
  return path === undefined || text === undefined ? undefined : { path, text }
}

async function efiConfigs(files: GuestFiles): Promise<string[]> {
  const lists = await Promise.all(efiDirectories.map((directory) => files.list(directory)))
  const paths = lists.flatMap((list, index) =>
    (list ?? []).map(({ name }) => `${efiDirectories[index] ?? ''}/${name}/grub.cfg`),
  )
  return [...atMost(maxEfi, 'directories of boot loaders', paths)]
}

async function grub2(files: GuestFiles): Promise<Loader | undefined> {
  const found = (await firstText(files, grubConfigs)) ?? (await firstText(files, await efiConfigs(files)))
  if (found === undefined) return undefined
  const directory = found.path.slice(0, found.path.lastIndexOf('/'))
  const [own, other, specified, oem] = await Promise.all([
    readText(files, `${directory}/grubenv`),
    readText(files, '/boot/grub2/grubenv'),
    /\bblscfg\b/.test(found.text) ? specifiedFiles(files, entryDirectories) : [],
    readText(files, '/usr/share/oem/grub.cfg'),
  ])
  const env = parseGrubenv(own ?? other ?? '')
  const text = oem === undefined ? found.text : `${oem}\n${found.text}`
  return {
    name: 'grub2',
    boot: readGrubCfg(text, env, (variables) => specified.map((one) => specifiedEntry(one, variables))),
  }
}

async function grubLegacy(files: GuestFiles): Promise<Loader | undefined> {
  const paths = [menuLst, '/boot/grub/grub.conf', '/boot/grub/stage2', '/etc/grub.conf']
  const [menu, conf, stage2, etc] = await Promise.all(
    paths.map((path) => (path.endsWith('stage2') ? files.stat(path) : readText(files, path))),
  )
  const text = [menu, conf, etc].find((one) => typeof one === 'string')
  if (text === undefined && stage2 === undefined) return undefined
  const saved = await readText(files, '/boot/grub/default')
  return { name: 'grub-legacy', boot: readMenuLst(typeof text === 'string' ? text : '', saved) }
}

async function systemdBoot(files: GuestFiles): Promise<Loader | undefined> {
  const bases = ['/boot', '/efi', '/boot/efi']
  const programs = await Promise.all(bases.map((base) => files.list(`${base}/EFI/systemd`)))
  if (programs.every((list) => list === undefined)) return undefined
  const [conf, specified] = await Promise.all([
    firstText(
      files,
      bases.map((base) => `${base}/loader/loader.conf`),
    ),
    specifiedFiles(files, entryDirectories),
  ])
  const none = new GrubVariables()
  const entries = specified.map((one) => specifiedEntry(one, none))
  const wanted = contentLines(conf?.text ?? '')
    .map(wordsOf)
    .findLast(([key]) => key === 'default')?.[1]
  const prefix = wanted?.replace(/\*.*$/, '')
  const named = entries.find(
    ({ ids }) => prefix !== undefined && ids.some((id) => id === wanted || id.startsWith(prefix)),
  )
  return { name: 'systemd-boot', boot: { entry: named ?? entries[0], entries } }
}

/** The loader that starts the default system: a grub.cfg decides against what an older GRUB left behind. */
export async function findLoader(files: GuestFiles): Promise<Loader | undefined> {
  const two = await grub2(files)
  // A grub.cfg on the EFI partition that only leads elsewhere has no entries.
  if (two?.boot.entry) return two
  const [systemd, legacy, extlinux, lilo] = await Promise.all([
    systemdBoot(files),
    grubLegacy(files),
    firstText(files, extlinuxFiles),
    readText(files, '/etc/lilo.conf'),
  ])
  if (systemd?.boot.entry) return systemd
  if (two) return two
  if (legacy) return legacy
  if (extlinux) {
    const base = extlinux.path.slice(0, extlinux.path.lastIndexOf('/'))
    return { name: 'extlinux', boot: readExtlinux(extlinux.text, base) }
  }
  return lilo === undefined ? systemd : { name: 'lilo', boot: readLilo(lilo) }
}

/** GRUB legacy's menu: whether it is there, and how many of its entries have a kernel that exists. */
export async function menuLstFacts(files: GuestFiles): Promise<NonNullable<Files['menuLst']>> {
  const text = await readText(files, menuLst)
  if (text === undefined) return { present: false }
  const { entries } = readMenuLst(text, undefined)
  const kernels = entries.flatMap(({ kernel }: BootEntry) => (kernel === undefined ? [] : [kernel]))
  const seen = await Promise.all(
    atMost(maxKernels, 'kernels in menu.lst', kernels).map((kernel) => seenPath(files, kernel)),
  )
  return { present: true, bootableEntries: seen.filter((path) => path !== undefined).length }
}
