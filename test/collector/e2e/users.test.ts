import { chmodSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type CollectOptions, collectImage } from '../../../server/collector/collect.ts'
import { hasZstd } from '../../../server/collector/linux/packed-names.ts'
import { type ToolName, tools } from '../../../server/collector/tools/table.ts'
import type { FactDocument } from '../../../server/documents/facts.ts'
import { centosReleases } from '../images/centos.ts'
import { convert } from '../images/containers.ts'
import { cpio } from '../images/cpio.ts'
import { emptyFile, place, writeTable } from '../images/disk.ts'
import { craftedBtrfs, craftedDisk, craftedXfs } from '../images/linux-disks.ts'
import { centosFiles } from '../images/linux-images.ts'
import { needs, run } from '../images/run.ts'
import { windowsImages, windowsPrograms } from '../images/windows-images.ts'
import { sha256, workFolder } from './check.ts'
import { noCrafted } from './prepared.ts'
import { program, runProgram, scratch } from './program.ts'

const nobody = 65_534
const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

const facts = ({ collection: _collection, ...rest }: FactDocument) => rest

async function images(folder: string): Promise<readonly string[]> {
  const raw = join(folder, 'disk.raw')
  await craftedDisk(raw, await centosFiles('centos7', undefined), 24)
  const qcow2 = join(folder, 'disk.qcow2')
  await convert(raw, qcow2, 'qcow2')
  for (const path of [raw, qcow2]) chmodSync(path, 0o644)
  return [raw, qcow2]
}

const skipOther = noCrafted || needs(['setpriv'], true)

t.test('an ordinary user gets what root gets, and nothing is left behind', { skip: skipOther }, async (t) => {
  const folder = await workFolder(t)
  chmodSync(folder, 0o755)
  const main = program(folder)
  const paths = await images(folder)
  const before = await Promise.all(paths.map(sha256))
  for (const path of paths) {
    const collected: unknown[] = []
    for (const uid of [0, nobody]) {
      const temporary = scratch(folder, `tmp-${path.endsWith('raw') ? 'raw' : 'qcow2'}-${uid}`, uid)
      const ran = await runProgram(main, ['collect', path], { temporary, uid })
      collected.push(facts(JSON.parse(ran.stdout)))
      t.equal(/running as root/.test(ran.stderr), uid === 0, 'only root is warned')
      t.same(readdirSync(temporary), [], 'no temporary file is left')
    }
    t.same(collected[1], collected[0], path.slice(-5))
  }
  const [raw = ''] = paths
  const own = scratch(folder, 'tmp-private', 0, 0o700)
  const ran = await runProgram(main, ['collect', raw], { temporary: own })
  const whole: FactDocument = JSON.parse(ran.stdout)
  t.equal(whole.os?.id, 'centos', 'root may keep its temporary files to itself')
  t.same(await Promise.all(paths.map(sha256)), before)
})

t.test('without FUSE, or without a sandbox, the facts are the same', { skip: noCrafted }, async (t) => {
  const [raw = '', qcow2 = ''] = await images(await workFolder(t))
  for (const path of [raw, qcow2]) {
    const whole = facts(await collectImage(path))
    const ways: readonly CollectOptions[] = [{ fuse: 'off' }, { sandbox: 'off' }, { fuse: 'off', sandbox: 'off' }]
    for (const way of ways) t.same(facts(await collectImage(path, way)), whole, JSON.stringify(way))
  }
})

/** A folder with links to all programs but one. */
function without(folder: string, missing: string): string {
  const path = join(folder, `without-${missing.replaceAll('.', '-')}`)
  mkdirSync(path)
  for (const from of folders.slice(0, 2)) {
    for (const name of readdirSync(from)) {
      if (name === missing || !(name in tools)) continue
      try {
        symlinkSync(join(from, name), join(path, name))
      } catch {
        // The same program in another folder.
      }
    }
  }
  return path
}

/** Programs that unpack an initramfs; newer versions of Node undo zstd themselves. */
const unpackers = ['xz', 'bzip2', 'lzop', ...(hasZstd ? [] : ['zstd' as const])] as const
const skipKinds =
  noCrafted || needs([...unpackers, ...windowsPrograms, 'mkfs.xfs', 'mkfs.btrfs', 'mkfs.fat', 'fusermount3'])

/** An image that some programs are needed for, and how it is read. */
interface Reading {
  readonly image: string
  readonly options?: CollectOptions
  /** Programs without which some fact is missing. */
  readonly needed: readonly ToolName[]
  /** Programs without which there is another way, which is told. */
  readonly replaced?: readonly ToolName[]
}

/** CentOS with an initramfs that a program compressed. */
async function packed(folder: string, program: string): Promise<string> {
  const { stdout } = await run(program, ['-c'], { input: cpio([{ path: 'init', content: '#!/bin/sh\n' }]) })
  const image = join(folder, `${program}.raw`)
  const initramfs = `/boot/initramfs-${centosReleases.centos7.kernel}.img`
  await craftedDisk(image, { ...(await centosFiles('centos7', undefined)), [initramfs]: stdout }, 24)
  return image
}

async function fatDisk(folder: string): Promise<string> {
  const [volume, image] = [join(folder, 'volume'), join(folder, 'fat.raw')]
  await emptyFile(volume, 40)
  await run('mkfs.fat', ['-F', '32', volume])
  await emptyFile(image, 42)
  await writeTable(image, { label: 'dos', partitions: [{ start: 1, size: 40, type: 'c' }] })
  await place(volume, image, 1)
  return image
}

/** A disk of each kind that has programs of its own. */
async function readings(folder: string): Promise<readonly Reading[]> {
  const [, qcow2 = ''] = await images(folder)
  const [xfs, btrfs, windows] = [join(folder, 'xfs.raw'), join(folder, 'btrfs.raw'), join(folder, 'windows.raw')]
  const files = await centosFiles('centos7', undefined)
  await craftedXfs(xfs, files)
  await craftedBtrfs(btrfs, files)
  await windowsImages[0]?.build(windows, '')
  const always = ['qemu-img', 'sfdisk', 'blkid', 'prlimit', 'tune2fs', 'debugfs', 'e2fsck'] as const
  return [
    { image: qcow2, needed: always, replaced: ['qemu-storage-daemon', 'nsenter', 'bwrap'] },
    { image: qcow2, options: { sandbox: 'off' }, needed: ['setpriv'], replaced: ['fusermount3'] },
    { image: xfs, needed: ['xfs_db', 'xfs_repair'] },
    { image: btrfs, needed: ['btrfs', 'grub-fstest'] },
    { image: windows, needed: ['ntfsinfo', 'ntfsls', 'ntfscat', 'hivexsh'] },
    { image: await fatDisk(folder), needed: ['fsck.fat'] },
    ...(await Promise.all(unpackers.map(async (name) => ({ image: await packed(folder, name), needed: [name] })))),
  ]
}

t.test('without one of its programs it says which package brings it, and goes on', { skip: skipKinds }, async (t) => {
  const folder = await workFolder(t)
  chmodSync(folder, 0o755)
  const all = await readings(folder)
  t.same(
    all.flatMap(({ needed, replaced = [] }) => [...needed, ...replaced]).sort(),
    Object.keys(tools)
      .filter((name) => !hasZstd || name !== 'zstd')
      .sort(),
  )
  for (const { image, options, needed, replaced = [] } of all) {
    const whole = facts(await collectImage(image, options))
    for (const name of [...needed, ...replaced]) {
      const toolFolders = [without(folder, name)]
      const notices: string[] = []
      const document = await collectImage(image, { ...options, toolFolders, onNotice: (text) => notices.push(text) })
      const missing = document.collection.missing ?? []
      const reasons = missing.filter(({ code }) => code === 'tool-missing').map(({ reason }) => reason)
      const told = `${name} is not installed: install the Debian package ${tools[name].package}.`
      t.equal(document.image?.format, whole.image?.format, `${name}: the container is told without it`)
      if (replaced.includes(name)) {
        t.match(notices.join('\n'), told, `${name}: a notice names its package`)
        t.same(facts(document), whole, `${name}: the facts are the same`)
      } else {
        t.match(reasons.join('\n'), told, `${name}: the reason names its package`)
        t.notSame(facts(document), whole, `${name}: something is unknown`)
      }
    }
  }
})
