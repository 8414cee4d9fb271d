import { rename } from 'node:fs/promises'
import { centos, centosReleases } from './centos.ts'
import type { Changes } from './changes.ts'
import { convert } from './containers.ts'
import { kernelOf, smallDebianTree } from './debian.ts'
import { changeExt, debugfs } from './debugfs.ts'
import { copyFile } from './disk.ts'
import { debian10Features } from './filesystems.ts'
import {
  craftedBtrfs,
  craftedDisk,
  craftedXfs,
  debianDisk,
  freebsdDisk,
  onLuks,
  onLvm,
  rootAt,
  separateBoot,
  withFolder,
  xfsOnGpt,
} from './linux-disks.ts'
import { type Fault, linuxFaults } from './linux-faults.ts'
import { type RpmFormat, type RpmPackage, rpmDatabase } from './rpm.ts'
import { run } from './run.ts'

/** An image of the tests: the verdict that is expected of it stands in expected/NAME.yaml. */
export interface TestImage {
  readonly name: string
  /** The statement of the requirements that it breaks, or whose good side it shows. */
  readonly requirement: string
  /** Writes it; good is the path of the good Debian image. */
  readonly build: (path: string, good: string) => Promise<void>
  /** Programs that building it needs besides those of every Linux image. */
  readonly programs?: readonly string[]
}

/** Programs that every Linux image needs. */
export const linuxPrograms = ['mke2fs', 'tune2fs', 'debugfs', 'sfdisk', 'dd', 'cp'] as const

/** Applies a fault to the root file system of an image with a single partition. */
export async function applyFault(path: string, { changes, commands = [] }: Fault): Promise<void> {
  const place = { path, offset: rootAt }
  if (changes) await changeExt(place, await changes(await kernelOf(await smallDebianTree())))
  if (commands.length > 0) await debugfs(place, commands)
}

const faults: readonly TestImage[] = Object.entries(linuxFaults).map(([name, fault]) => ({
  name,
  requirement: fault.requirement,
  build: async (path, good) => {
    await copyFile(good, path)
    await applyFault(path, fault)
  },
}))

/** A file system directly on the disk, which only a container can tell from rubbish. */
async function withoutTable(path: string): Promise<void> {
  await withFolder(async (folder) => {
    const disk = `${folder}/disk`
    const file = `${folder}/root`
    await craftedDisk(disk, centos(centosReleases.centos7))
    await run('dd', [`if=${disk}`, `of=${file}`, 'bs=1M', 'skip=1', 'count=160', 'conv=sparse', 'status=none'])
    await convert(file, path, 'qcow2')
  })
}

const layouts: readonly TestImage[] = [
  { name: 'ext3', requirement: 'L-20', build: (path) => debianDisk(path, { ext: { type: 'ext3', features: ext3 } }) },
  { name: 'ext2', requirement: 'L-20', build: (path) => debianDisk(path, { ext: { type: 'ext2', features: ext2 } }) },
  {
    name: 'ext4-64bit',
    requirement: 'L-21',
    build: (path) => debianDisk(path, { ext: { features: `${debian10Features},64bit` } }),
  },
  {
    name: 'ext4-project-quota',
    requirement: 'L-22',
    build: (path) =>
      debianDisk(path, {
        ext: { features: `${debian10Features},project,quota`, extended: 'quotatype=usrquota:grpquota:prjquota' },
      }),
  },
  {
    name: 'ext4-quota-alone',
    requirement: 'L-22',
    build: (path) =>
      debianDisk(path, { ext: { features: `${debian10Features},quota`, extended: 'quotatype=usrquota' } }),
  },
  {
    name: 'swap-behind-root',
    requirement: 'L-17',
    build: async (path) => {
      await debianDisk(path, { diskSize: 540, more: [{ start: 500, size: 32, type: '82' }] })
      await withFolder(async (folder) => {
        const swap = `${folder}/swap`
        await run('truncate', ['--size=32M', swap])
        await run('mkswap', ['--quiet', '--uuid', '7c9d3f10-5e24-4b8a-9f61-2d3c4b5a6978', swap])
        await run('dd', [`if=${swap}`, `of=${path}`, 'bs=1M', 'seek=500', 'conv=notrunc,sparse', 'status=none'])
      })
    },
    programs: ['mkswap', 'truncate'],
  },
  {
    name: 'data-partition',
    requirement: 'L-17',
    build: (path) => debianDisk(path, { diskSize: 540, more: [{ start: 500, size: 32, type: '83' }] }),
  },
  { name: 'separate-boot', requirement: 'L-17', build: separateBoot },
  { name: 'xfs-on-gpt', requirement: 'L-20', build: xfsOnGpt, programs: ['mkfs.xfs'] },
  { name: 'lvm', requirement: 'L-17', build: onLvm },
  { name: 'luks1', requirement: 'L-17', build: (path) => onLuks(path, 'luks1'), programs: ['cryptsetup'] },
  { name: 'luks2', requirement: 'L-17', build: (path) => onLuks(path, 'luks2'), programs: ['cryptsetup'] },
  { name: 'no-partition-table', requirement: 'L-19', build: withoutTable, programs: ['qemu-img'] },
]

const ext2 = 'ext_attr,resize_inode,dir_index,filetype,sparse_super,large_file'
const ext3 = `has_journal,${ext2}`

const rpmPackages = (major: 7 | 8): readonly RpmPackage[] => [
  { name: 'centos-release', version: String(major), release: `9.2009.1.el${major}.centos` },
  { name: 'openssh-server', version: '7.4p1', release: `21.el${major}` },
  { name: 'cloud-init', version: major === 7 ? '19.4' : '19.4', release: `7.el${major}.centos` },
]

/** The files of a crafted CentOS with its rpm database. */
export async function centosFiles(
  name: keyof typeof centosReleases,
  format: RpmFormat | undefined,
  rootType?: string,
): Promise<Changes> {
  const release = centosReleases[name]
  const database = format === undefined ? [] : await rpmDatabase(format, rpmPackages(release.major))
  const files = [...database].map(([file, content]) => [`/var/lib/rpm/${file}`, content] as const)
  return { ...centos(release, rootType), ...Object.fromEntries(files) }
}

const berkeley = ['rpm', 'rpmdb', 'rpmbuild', 'db5.3_load']

/** Crafted systems, which are small. */
export const craftedImages: readonly TestImage[] = [
  {
    name: 'centos-7',
    requirement: 'L-23',
    build: async (path) => craftedDisk(path, await centosFiles('centos7', 'bdb')),
    programs: berkeley,
  },
  {
    name: 'centos-8',
    requirement: 'L-23',
    build: async (path) => craftedDisk(path, await centosFiles('centos8', 'bdb')),
    programs: berkeley,
  },
  {
    name: 'centos-8-sqlite',
    requirement: 'L-23',
    build: async (path) => craftedDisk(path, await centosFiles('centos8', 'sqlite')),
    programs: ['rpm', 'rpmdb', 'rpmbuild'],
  },
  {
    name: 'centos-7-xfs',
    requirement: 'L-20',
    build: async (path) => craftedXfs(path, await centosFiles('centos7', 'bdb', 'xfs')),
    programs: [...berkeley, 'mkfs.xfs'],
  },
  {
    name: 'centos-8-selinux',
    requirement: 'L-07',
    build: async (path) => {
      const files = await centosFiles('centos8', 'sqlite')
      await craftedDisk(path, { ...files, '/etc/selinux/config': 'SELINUX=permissive\nSELINUXTYPE=targeted\n' })
    },
    programs: ['rpm', 'rpmdb', 'rpmbuild'],
  },
  {
    name: 'centos-8-btrfs',
    requirement: 'L-20',
    build: async (path) => craftedBtrfs(path, await centosFiles('centos8', 'sqlite', 'btrfs')),
    programs: ['rpm', 'rpmdb', 'rpmbuild', 'mkfs.btrfs'],
  },
  { name: 'freebsd-12', requirement: 'L-23', build: freebsdDisk, programs: ['makefs'] },
]

/** Faults and layouts of the Debian image. */
export const debianImages: readonly TestImage[] = [...faults, ...layouts]

/** The good Debian image at a path, whole or not at all. */
export async function goodImage(path: string): Promise<void> {
  await debianDisk(`${path}.part`)
  await rename(`${path}.part`, path)
}
