import { chmodSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { centosReleases } from '../images/centos.ts'
import type { Changes } from '../images/changes.ts'
import { emptyFile, mebibyte, patch, place, writeTable } from '../images/disk.ts'
import { craftedBtrfs, craftedDisk, craftedXfs } from '../images/linux-disks.ts'
import { centosFiles } from '../images/linux-images.ts'
import { needs, run } from '../images/run.ts'
import { windowsPrograms } from '../images/windows-images.ts'
import { buildWindowsImage } from '../windows/image.ts'
import { verdictOf, workFolder } from './check.ts'
import { noCrafted } from './prepared.ts'
import { program, runProgram, scratch } from './program.ts'

const { kernel } = centosReleases.centos7
const initramfs = `/boot/initramfs-${kernel}.img`

const numbered = (count: number, name: (index: number) => string, change: Changes[string]): Changes =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [name(index), change]))

/** A text as long as a file of settings may be, with one character for which each of the others takes two bytes. */
const settings = `# é\n${`# ${'x'.repeat(97)}\n`.repeat(10_480)}`

/** As many files of settings as are looked at, in many places. */
const many: Changes = {
  '/etc/large': settings,
  ...numbered(250, (n) => `/etc/sysconfig/network-scripts/ifcfg-x${n}`, { link: '/etc/large' }),
  ...numbered(250, (n) => `/etc/NetworkManager/system-connections/x${n}.nmconnection`, { link: '/etc/large' }),
  ...numbered(250, (n) => `/etc/systemd/network/x${n}.network`, { link: '/etc/large' }),
  ...numbered(120, (n) => `/etc/netplan/x${n}.yaml`, { link: '/etc/large' }),
  ...numbered(120, (n) => `/etc/cloud/cloud.cfg.d/x${n}.cfg`, { link: '/etc/large' }),
  ...numbered(250, (n) => `/etc/ssh/sshd_config.d/x${n}.conf`, { link: '/etc/large' }),
  '/etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\n',
  ...numbered(120, (n) => `/usr/lib/systemd/system-preset/${n}.preset`, { link: '/etc/large' }),
  ...numbered(60, (n) => `/etc/systemd/system/sshd.service.d/${n}.conf`, { link: '/etc/large' }),
}

/** The head of a cpio archive whose one file is as long as an archive may be when it is unpacked. */
const archive = (() => {
  const fields = Array.from({ length: 13 }, () => 0)
  fields[1] = 0o100644
  fields[6] = 510 * mebibyte
  fields[11] = 2
  return Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}x\0`)
})()

const unpacked = (bytes: number) => Buffer.concat([archive, Buffer.alloc(bytes - archive.length, 'x')])

/** LZ4 as the kernel wants it, of blocks that are no smaller than what is in them. */
function lz4(content: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from('02214c18', 'hex')]
  const block = 8 * mebibyte
  for (let at = 0; at < content.length; at += block) {
    const part = content.subarray(at, at + block)
    const more = part.length - 15
    const head = Buffer.concat([
      Buffer.from([0xf0]),
      Buffer.alloc(Math.floor(more / 255), 255),
      Buffer.from([more % 255]),
    ])
    const size = Buffer.alloc(4)
    size.writeUInt32LE(head.length + part.length)
    parts.push(size, head, part)
  }
  return Buffer.concat(parts)
}

const paragraph = (n: number) =>
  `Package: package-${n}\nStatus: install ok installed\nVersion: 1\nDescription: é${' x'.repeat(1500)}\n\n`

/** Everything that is long by nature, as long as it may be. */
const long = (): Changes => ({
  '/var/lib/dpkg/status': Array.from({ length: 19_999 }, (_, n) => paragraph(n)).join(''),
  '/var/lib/rpm/Packages': Buffer.alloc(63 * mebibyte, 'x'),
  [`/boot/vmlinuz-${kernel}`]: Buffer.alloc(63 * mebibyte, 'x'),
  [`/usr/lib/modules/${kernel}/modules.dep`]: `kernel/é.ko:${' '.repeat(150)}\n`.repeat(49_000),
  [`/usr/lib/modules/${kernel}/modules.builtin`]: `kernel/é.ko${' '.repeat(150)}\n`.repeat(49_000),
  [initramfs]: gzipSync(unpacked(511 * mebibyte), { level: 1 }),
})
const packed = (): Changes => ({ [initramfs]: lz4(unpacked(126 * mebibyte)) })
const names = () => numbered(20_000, (n) => `/etc/sysconfig/network-scripts/ifcfg-${'n'.repeat(240)}${n}`, '')

const centos = async (changes: Changes) => ({ ...(await centosFiles('centos7', undefined)), ...changes })
const long100 = (_: string, hive: Buffer) => Buffer.concat([hive, Buffer.alloc(100 * mebibyte)])

/** Three file systems of 8 GiB whose bitmaps say of every other block that it is in use, which a checker holds one by one. */
async function inPieces(path: string): Promise<void> {
  const size = 8 * 1024
  const partitions = [0, 1, 2].map((index) => ({ start: 1 + index * size, size, type: '83' }))
  await emptyFile(path, 3 * size + 2)
  await writeTable(path, { label: 'dos', partitions })
  const features = '^metadata_csum,^uninit_bg,^has_journal'
  const made = `${path}.part`
  await emptyFile(made, size)
  await run('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', '1024', '-N', '30000', '-O', features, made])
  const { stdout } = await run('dumpe2fs', [made])
  for (const [, block] of stdout.toString().matchAll(/Block bitmap at (\d+)/g))
    await patch(made, Number(block) * 1024, Buffer.alloc(1024, 0xaa))
  for (const { start } of partitions) await place(made, path, start)
  rmSync(made)
}

const images: Readonly<Record<string, (path: string) => Promise<void>>> = {
  'many settings': async (path) => craftedDisk(path, await centos(many)),
  'long files': async (path) => craftedDisk(path, await centos(long()), 400),
  'a long initramfs': async (path) => craftedDisk(path, await centos(packed()), 400),
  'long files on XFS': async (path) => craftedXfs(path, await centos({ ...long(), ...packed() })),
  'a long initramfs on btrfs': async (path) => craftedBtrfs(path, await centos(packed())),
  'many names on XFS': async (path) => craftedXfs(path, await centos(names())),
  'bitmaps in pieces': inPieces,
  'long hives': (path) => buildWindowsImage(path, { partitions: [{ guest: { damage: long100 }, size: 400 }] }),
}

t.test('check with all its programs stays under 300 MiB', { skip: noCrafted || needs(windowsPrograms) }, async (t) => {
  const folder = await workFolder(t)
  chmodSync(folder, 0o755)
  const main = program(folder)
  const temporary = scratch(folder, 'tmp')
  for (const [name, build] of Object.entries(images)) {
    const path = join(folder, 'image')
    await build(path)
    const ran = await runProgram(main, ['check', '--format', 'json', path], { temporary, weigh: true })
    t.comment(`${name}: ${ran.peak.toFixed(0)} MiB, ${ran.milliseconds} ms`)
    t.ok(ran.peak > 50, 'it was weighed')
    t.ok(ran.peak < 300, `${name}: ${ran.peak.toFixed(0)} MiB`)
    const { findings } = verdictOf(ran)
    t.ok(
      findings.some(({ result }) => result === 'pass'),
      'what is not too long was read',
    )
    rmSync(path)
  }
})
