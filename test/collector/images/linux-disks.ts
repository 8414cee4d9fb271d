import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Changes, changeTree, copyTree } from './changes.ts'
import { debianTree, kernelOf, smallDebianTree } from './debian.ts'
import { debian10, grubConfig, rootUuid } from './debian10.ts'
import { emptyFile, mebibyte, type PartitionPlan, place, writeTable } from './disk.ts'
import { updateSums } from './dpkg.ts'
import { debian10Features, type ExtPlan, makeBtrfs, makeExt, makeUfs, makeXfs } from './filesystems.ts'
import { freebsd } from './freebsd.ts'
import { writeLvm } from './lvm.ts'
import { run } from './run.ts'

/** Where the root file system of an image with a single partition begins. */
export const rootAt = mebibyte
/** Sizes of the disk and of its root partition. Unit: MiB. */
const diskSize = 500
const rootSize = 480
const bootUuid = '0e0e8a55-51a7-4d63-9f6e-6a1f5b9f0c11'

const gptTypes = {
  linux: '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
  bios: '21686148-6449-6E6F-744E-656564454649',
  freebsdBoot: '83BD6B9D-7F41-11DC-BE0B-001560B84F0F',
  freebsdUfs: '516E7CB6-6ECF-11D6-8FF8-00022D09712B',
}

/** Works in a folder that goes when the work is done. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'imagegate-tree-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A copy of a Debian system that says it is Debian 10, with further changes. */
async function goodTree(folder: string, changes: (kernel: string) => Changes, from?: string): Promise<string> {
  const tree = join(folder, 'tree')
  const source = from ?? (await smallDebianTree())
  const kernel = await kernelOf(source)
  await copyTree(source, tree)
  const all = { ...debian10(kernel), ...changes(kernel) }
  await changeTree(tree, all)
  await updateSums(tree, Object.keys(all))
  return tree
}

/** Puts GRUB's boot sector where an installed system has it. */
async function bootSector(disk: string, tree: string): Promise<void> {
  const image = join(tree, 'usr/lib/grub/i386-pc/boot.img')
  await run('dd', [`if=${image}`, `of=${disk}`, 'bs=440', 'count=1', 'conv=notrunc', 'status=none'])
}

/** What is not the same in a Debian disk. */
export interface DebianPlan {
  readonly ext?: Partial<Omit<ExtPlan, 'tree'>>
  readonly changes?: Changes
  /** Partitions besides the first one, which hold nothing. */
  readonly more?: readonly PartitionPlan[]
  /** Unit: MiB. */
  readonly diskSize?: number
  /** Everything that debootstrap made, and not only what rules need. */
  readonly whole?: boolean
}

/** A Debian system on one ext partition of an MBR disk, in a RAW file. */
export function debianDisk(path: string, plan: DebianPlan = {}): Promise<void> {
  return withFolder(async (folder) => {
    const { ext, changes = {}, more = [], diskSize: size = diskSize, whole = false } = plan
    const tree = await goodTree(folder, () => changes, whole ? await debianTree() : await smallDebianTree())
    await emptyFile(path, size)
    const root = ext?.size ?? rootSize
    await writeTable(path, { label: 'dos', partitions: [{ start: 1, size: root, type: '83' }, ...more] })
    const own: ExtPlan = { features: debian10Features, uuid: rootUuid, size: root, tree }
    await makeExt({ path, offset: rootAt }, { ...own, ...ext })
    await bootSector(path, tree)
  })
}

/** fstab and grub.cfg of a system whose root is of another type. */
const onType =
  (type: string, root = `UUID=${rootUuid}`) =>
  (kernel: string): Changes => ({
    '/etc/fstab': `${root} / ${type} defaults 0 1\n`,
    '/boot/grub/grub.cfg': grubConfig(kernel, root),
  })

/** A Debian system on XFS, behind a partition for GRUB, on a GPT disk. */
export function xfsOnGpt(path: string): Promise<void> {
  return withFolder(async (folder) => {
    const tree = await goodTree(folder, onType('xfs'))
    await emptyFile(path, diskSize)
    const bios = { start: 1, size: 1, type: gptTypes.bios }
    await writeTable(path, { label: 'gpt', partitions: [bios, { start: 2, size: rootSize, type: gptTypes.linux }] })
    const root = join(folder, 'root')
    await emptyFile(root, rootSize)
    await makeXfs(root, tree, rootUuid)
    await place(root, path, 2)
    await bootSector(path, tree)
  })
}

/** A Debian system on a logical volume of an MBR disk. */
export function onLvm(path: string): Promise<void> {
  return withFolder(async (folder) => {
    const tree = await goodTree(folder, onType('ext4', '/dev/mapper/vg0-root'))
    await emptyFile(path, diskSize)
    await writeTable(path, { label: 'dos', partitions: [{ start: 1, size: rootSize, type: '8e' }] })
    const content = join(folder, 'root')
    const contentSize = rootSize - 8
    await emptyFile(content, contentSize)
    await makeExt({ path: content }, { features: debian10Features, uuid: rootUuid, size: contentSize, tree })
    await writeLvm(path, { group: 'vg0', volume: 'root', content, contentSize, start: 1, size: rootSize })
    await bootSector(path, tree)
  })
}

/** A Debian system with its /boot on a partition of its own, before root. */
export function separateBoot(path: string): Promise<void> {
  return withFolder(async (folder) => {
    const fstab = `UUID=${rootUuid} / ext4 errors=remount-ro 0 1\nUUID=${bootUuid} /boot ext4 defaults 0 2\n`
    const tree = await goodTree(folder, (kernel) => ({
      '/etc/fstab': fstab,
      '/boot/grub/grub.cfg': grubConfig(kernel, `UUID=${rootUuid}`, ''),
    }))
    const boot = join(folder, 'boot')
    await copyTree(join(tree, 'boot'), boot)
    await rm(join(tree, 'boot'), { recursive: true })
    await mkdir(join(tree, 'boot'))
    const [bootSize, size] = [160, 400]
    await emptyFile(path, bootSize + size + 2)
    const partitions = [
      { start: 1, size: bootSize, type: '83' },
      { start: 1 + bootSize, size, type: '83' },
    ]
    await writeTable(path, { label: 'dos', partitions })
    const features = debian10Features
    await makeExt({ path, offset: rootAt }, { features, uuid: bootUuid, size: bootSize, tree: boot })
    await makeExt({ path, offset: rootAt + bootSize * mebibyte }, { features, uuid: rootUuid, size, tree })
    await bootSector(path, tree)
  })
}

/** A disk whose root is encrypted: a LUKS header on one partition, a readable /boot on another. */
export function onLuks(path: string, type: 'luks1' | 'luks2'): Promise<void> {
  return withFolder(async (folder) => {
    const small = await smallDebianTree()
    const kernel = await kernelOf(small)
    const boot = join(folder, 'boot')
    await copyTree(join(small, 'boot'), boot)
    await changeTree(boot, { '/grub/grub.cfg': grubConfig(kernel, '/dev/mapper/root_crypt', '') })
    const secret = join(folder, 'secret')
    await emptyFile(secret, 32)
    const cheap = ['--pbkdf-force-iterations', '1000', ...(type === 'luks2' ? ['--pbkdf', 'pbkdf2'] : [])]
    await run('cryptsetup', ['luksFormat', '-q', '--type', type, ...cheap, secret, '-'], { input: 'secret' })
    await emptyFile(path, 256)
    const partitions = [
      { start: 1, size: 160, type: '83' },
      { start: 161, size: 64, type: '83' },
    ]
    await writeTable(path, { label: 'dos', partitions })
    const plan = { features: debian10Features, uuid: bootUuid, size: 160, tree: boot }
    await makeExt({ path, offset: rootAt }, plan)
    await place(secret, path, 161)
  })
}

/** A small system of crafted files on one ext4 partition of an MBR disk. Unit of the size: MiB. */
export function craftedDisk(path: string, files: Changes, size = 160): Promise<void> {
  return withFolder(async (folder) => {
    const tree = join(folder, 'tree')
    await mkdir(tree, { mode: 0o755 })
    await changeTree(tree, files)
    await emptyFile(path, size + 2)
    await writeTable(path, { label: 'dos', partitions: [{ start: 1, size, type: '83' }] })
    await makeExt({ path, offset: rootAt }, { features: debian10Features, uuid: rootUuid, size, tree })
  })
}

/** A small system of crafted files on a file system that is made in a file of its own. Unit of the size: MiB. */
function craftedElsewhere(
  path: string,
  files: Changes,
  size: number,
  make: (path: string, tree: string, uuid: string) => Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    const tree = join(folder, 'tree')
    await mkdir(tree, { mode: 0o755 })
    await changeTree(tree, files)
    await emptyFile(path, size + 2)
    await writeTable(path, { label: 'dos', partitions: [{ start: 1, size, type: '83' }] })
    const root = join(folder, 'root')
    await emptyFile(root, size)
    await make(root, tree, rootUuid)
    await place(root, path, 1)
  })
}

/** A small system of crafted files on XFS. */
export function craftedXfs(path: string, files: Changes): Promise<void> {
  return craftedElsewhere(path, files, 400, makeXfs)
}

/** A small system of crafted files on btrfs. */
export function craftedBtrfs(path: string, files: Changes): Promise<void> {
  return craftedElsewhere(path, files, 256, makeBtrfs)
}

/** A crafted FreeBSD on UFS2, as its installer lays out a GPT disk. */
export function freebsdDisk(path: string): Promise<void> {
  return withFolder(async (folder) => {
    const tree = join(folder, 'tree')
    await mkdir(tree, { mode: 0o755 })
    await changeTree(tree, freebsd())
    const size = 160
    await emptyFile(path, size + 4)
    const partitions = [
      { start: 1, size: 1, type: gptTypes.freebsdBoot },
      { start: 2, size, type: gptTypes.freebsdUfs, name: 'rootfs' },
    ]
    await writeTable(path, { label: 'gpt', partitions })
    const root = join(folder, 'root')
    await makeUfs(root, tree, size)
    await place(root, path, 2)
  })
}
