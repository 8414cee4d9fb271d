import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { GuestFiles } from '../../../server/collector/guest.ts'
import type { OpenImage } from '../../../server/collector/image.ts'
import { openChecked } from './checked.ts'
import { makeDisk, makeExt } from './disks.ts'
import { makeLvm } from './lvm-disk.ts'
import { empty, make, patch, without } from './programs.ts'

const common = ['qemu-img', 'qemu-storage-daemon', 'sfdisk', 'blkid']
const needs = (...names: string[]) => ({ skip: without(...common, ...names) })
const mebibyte = 1_048_576

/** The image of a disk with one partition; it is closed with the test. */
async function disk(t: Test, file: string, type = '83', label: 'dos' | 'gpt' = 'dos'): Promise<OpenImage> {
  const image = await openChecked(await makeDisk(`${file}.img`, label, [{ type, file }]))
  t.teardown(() => image.close())
  return image
}

function filesOf(image: OpenImage, index = 0): GuestFiles {
  const files = image.volumes[index]?.files
  if (!files) throw new Error('the volume cannot be read')
  return files
}

/** A file of the guest, read in pieces and joined. */
async function joined(files: GuestFiles, path: string, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of (await files.pieces?.(path, maxBytes)) ?? []) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function tree(t: Test): Promise<string> {
  const dir = join(
    t.testdir({ tree: { etc: { hostname: 'guest\n' }, usr: { lib: { 'os-release': 'ID=debian\n' } } } }),
    'tree',
  )
  await symlink('../usr/lib/os-release', join(dir, 'etc/os-release'))
  await symlink('usr/lib', join(dir, 'lib'))
  await symlink(`/${'long/'.repeat(20)}target`, join(dir, 'etc/far'))
  return dir
}

t.test('ext2, ext3 and ext4 tell features, sizes and files', needs('mkfs.ext4', 'debugfs'), async (t) => {
  const from = await tree(t)
  for (const [type, options] of [
    ['ext2', ['-t', 'ext2']],
    ['ext3', ['-t', 'ext3']],
    ['ext4', ['-t', 'ext4', '-O', '64bit,quota,project', '-L', 'a b\nc']],
    ['ext4', ['-t', 'ext4', '-O', '^64bit,inline_data', '-b', '4096']],
  ] as const) {
    const image = await disk(t, await makeExt(join(t.testdirName, `${type}-${options.length}`), from, ...options))
    const { facts } = image.volumes[0] ?? {}
    t.match(facts, {
      fileSystem: type,
      encryption: 'none',
      sizeBytes: 64 * mebibyte,
      check: { result: 'clean', method: 'full' },
    })
    t.equal(facts?.features?.includes('64bit'), options.join().includes(',64bit'), options.join())
    t.equal(facts?.features?.includes('project'), options.join().includes('project'))
    t.equal(facts?.label, options.join().includes('-L') ? 'a b\nc' : '')
    t.ok((facts?.freeBytes ?? 0) > 40 * mebibyte && (facts?.freeBytes ?? 0) < 64 * mebibyte)
    const files = filesOf(image)
    t.equal((await files.read('/etc/os-release'))?.toString(), 'ID=debian\n')
    t.equal((await files.read('/lib/../lib/os-release'))?.toString(), 'ID=debian\n')
    t.equal((await files.stat('/etc/far'))?.target, `/${'long/'.repeat(20)}target`)
    t.equal(await files.read('/etc/far'), undefined)
    t.equal(await files.stat('/etc/hostname/x'), undefined, 'below a file is nothing')
  }
})

t.test('flags of ext files are seen', needs('mkfs.ext4', 'debugfs'), async (t) => {
  const file = await makeExt(join(t.testdirName, 'fs'), await tree(t))
  for (const [path, flags] of [
    ['/etc/hostname', '0x10'],
    ['/usr/lib/os-release', '0x20'],
  ] as const)
    await make('debugfs', '-w', '-R', `set_inode_field ${path} flags ${flags}`, file)
  const files = filesOf(await disk(t, file))
  t.match(await files.stat('/etc/hostname'), { immutable: true, appendOnly: false })
  t.match(await files.stat('/usr/lib/os-release'), { immutable: false, appendOnly: true })
})

t.test('everything asked in one turn costs one debugfs a step', needs('mkfs.ext4', 'debugfs'), async (t) => {
  const from = await tree(t)
  await mkdir(join(from, 'many'))
  for (let index = 0; index < 300; index += 1) await writeFile(join(from, 'many', `f${index}`), `content ${index}`)
  const image = await disk(t, await makeExt(join(t.testdirName, 'fs'), from))
  const files = filesOf(image)
  const names = Array.from({ length: 300 }, (_, index) => `/many/f${index}`)
  const start = performance.now()
  const read = await Promise.all(names.map((name) => files.read(name)))
  t.ok(performance.now() - start < 5000)
  t.same(
    read.map(String),
    names.map((_, index) => `content ${index}`),
  )
  t.equal((await files.list('/many'))?.length, 300)
})

t.test('the directories of an image hold so many names and no more', needs('mkfs.ext4', 'debugfs'), async (t) => {
  const from = await tree(t)
  await mkdir(join(from, 'many'))
  for (let index = 0; index < 1000; index += 1) await writeFile(join(from, 'many', `f${index}`), '')
  const files = filesOf(await disk(t, await makeExt(join(t.testdirName, 'fs'), from)))
  for (let round = 0; round < 5; round += 1) {
    const lists = await Promise.all(Array.from({ length: 50 }, () => files.list('/many')))
    t.ok(lists.every((list) => list?.length === 1000))
  }
  await t.rejects(files.list('/many'), { code: 'too-large' })
  t.equal((await files.read('/etc/hostname'))?.toString(), 'guest\n', 'what needs no list is read')
})

t.test(
  'an ext journal that needs replay, an unclean state and damage are told apart',
  needs('mkfs.ext4', 'debugfs'),
  async (t) => {
    const clean = await makeExt(join(t.testdirName, 'fs'), await tree(t))
    const changed = async (name: string, ...commands: string[]) => {
      const path = join(t.testdirName, name)
      await copyFile(clean, path)
      for (const command of commands) await make('debugfs', '-w', '-R', command, path)
      return (await disk(t, path)).volumes[0]?.facts.check
    }
    t.same(await changed('replay', 'feature needs_recovery'), { result: 'dirty', method: 'flags' })
    t.same(await changed('unclean', 'set_super_value state 0'), { result: 'dirty', method: 'flags' })
    t.same(await changed('errors', 'set_super_value state 3'), { result: 'errors', method: 'flags' })
    t.same(await changed('damage', 'set_super_value free_blocks_count 7', 'clri /etc/hostname'), {
      result: 'errors',
      method: 'full',
    })
  },
)

t.test('XFS tells features, sizes and files', needs('mkfs.xfs', 'xfs_db', 'xfs_repair', 'grub-fstest'), async (t) => {
  const dir = join(await tree(t), '..')
  const proto = ['dummy', '0 0', 'd--755 0 0', 'etc d--755 0 0', `shadow ---640 0 0 ${dir}/tree/etc/hostname`]
  proto.push(
    'os-release l--777 0 0 ../usr/lib/os-release',
    'a l--777 0 0 b',
    'b l--777 0 0 a',
    '$',
    'lib l--777 0 0 usr/lib',
  )
  const big = randomBytes(3 * mebibyte + 17)
  await writeFile(join(dir, 'big'), big)
  proto.push(`big ---600 0 0 ${dir}/big`)
  proto.push('usr d--755 0 0', 'lib d--755 0 0', `os-release ---644 0 0 ${dir}/tree/usr/lib/os-release`, '$', '$', '$')
  await writeFile(join(dir, 'proto'), `${proto.join('\n')}\n`)
  for (const options of [[], ['-m', 'crc=0', '-n', 'ftype=0']]) {
    const file = await empty(join(dir, `xfs${options.length}`), 320 * mebibyte)
    await make('mkfs.xfs', '-q', '-L', 'root', ...options, '-p', join(dir, 'proto'), file)
    const image = await disk(t, file)
    t.match(image.volumes[0]?.facts, {
      fileSystem: 'xfs',
      label: 'root',
      sizeBytes: 320 * mebibyte,
      check: { result: 'clean', method: 'full' },
    })
    t.ok(image.volumes[0]?.facts.features?.includes(options.length === 0 ? 'V5' : 'V4'))
    const files = filesOf(image)
    t.equal((await files.read('/lib/os-release'))?.toString(), 'ID=debian\n', 'through a directory that is a link')
    t.equal((await files.read('/etc/os-release'))?.toString(), 'ID=debian\n')
    t.match(await files.stat('/etc/shadow'), { kind: 'file', mode: 0o640, immutable: false, appendOnly: false })
    t.same(
      (await files.list('/etc'))?.map(({ name, kind }) => `${name} ${kind}`),
      ['shadow file', 'os-release link', 'a link', 'b link'],
    )
    t.ok((await files.read('/big', 4 * mebibyte))?.equals(big), 'by our own reader')
    t.ok((await joined(files, '/big', 4 * mebibyte)).equals(big), 'in pieces')
    const subclusters = `${file}.qcow2`
    await make('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', '-o', 'extended_l2=on', `${file}.img`, subclusters)
    const other = await openChecked(subclusters)
    t.ok((await filesOf(other).read('/big', 4 * mebibyte))?.equals(big), 'by GRUB where our own reader cannot')
    t.ok((await joined(filesOf(other), '/big', 4 * mebibyte)).equals(big), 'in pieces')
    await other.close()
    await t.rejects(files.read('/big'), { code: 'too-large' })
    await t.rejects(joined(files, '/big', 2 * mebibyte), { code: 'too-large' })
    t.equal(await files.read('/etc/none'), undefined)
    t.equal(await files.pieces?.('/etc/none', mebibyte), undefined)
    t.equal(await files.list('/none'), undefined)
    await t.rejects(files.read('/etc/a'), { code: 'unreadable' })
    await t.rejects(files.read('/etc/a b'), { code: 'refused' })
  }
})

t.test(
  'NTFS tells flags, sizes and files, names without case',
  needs('mkfs.ntfs', 'ntfscp', 'ntfsinfo', 'ntfscat'),
  async (t) => {
    const dir = t.testdir({ driver: 'sys' })
    const file = await empty(join(dir, 'ntfs'), 64 * mebibyte)
    await make('mkfs.ntfs', '-Q', '-F', '-q', '-L', 'Win', file)
    await make('ntfscp', '-q', file, join(dir, 'driver'), 'viostor.sys')
    const image = await disk(t, file, '7')
    t.match(image.volumes[0]?.facts, { fileSystem: 'ntfs', label: 'Win', check: { result: 'clean', method: 'flags' } })
    t.ok((image.volumes[0]?.facts.freeBytes ?? 0) > 50 * mebibyte)
    const files = filesOf(image)
    t.equal((await files.read('/VIOSTOR.sys'))?.toString(), 'sys')
    t.match(await files.stat('/VioStor.SYS'), { kind: 'file', sizeBytes: 3, readOnly: false })
    t.equal(await files.stat('/none/x'), undefined)
    t.ok((await files.list('/'))?.some(({ name }) => name === 'viostor.sys'))
    const saved = join(dir, 'saved')
    t.equal(await files.save?.('/VIOSTOR.sys', saved, 100), true)
    t.equal(await readFile(saved, 'utf8'), 'sys')
    t.equal(await files.save?.('/none', join(dir, 'none'), 100), false)
    const short = async () => {
      await files.save?.('/viostor.sys', join(dir, 'short'), 2)
    }
    await t.rejects(short, { code: 'too-large' })
    const hibernated = join(dir, 'hibernated')
    await copyFile(file, hibernated)
    await make('ntfscp', '-q', hibernated, join(dir, 'driver'), 'hiberfil.sys')
    t.match((await disk(t, hibernated, '7')).volumes[0]?.facts.check, { result: 'dirty', method: 'flags' })
    const dirty = join(dir, 'dirty')
    const bytes = await readFile(file)
    // Record 3 of $MFT and of its mirror: the flags stand in $VOLUME_INFORMATION, attribute 0x70.
    const name = Buffer.from('$Volume', 'utf16le')
    for (let at = bytes.indexOf(name); at > 0; at = bytes.indexOf(name, at + 1)) {
      const attribute = bytes.indexOf(Buffer.from('70000000', 'hex'), at)
      if (attribute - at < 512) bytes.writeUInt16LE(1, attribute + bytes.readUInt16LE(attribute + 20) + 10)
    }
    await writeFile(dirty, bytes)
    t.match((await disk(t, dirty, '7')).volumes[0]?.facts.check, { result: 'dirty', method: 'flags' })
  },
)

t.test(
  'FAT and btrfs tell sizes and files',
  needs('mkfs.fat', 'mkfs.btrfs', 'btrfs', 'fsck.fat', 'mcopy', 'grub-fstest'),
  async (t) => {
    const from = await tree(t)
    const big = randomBytes(3 * mebibyte + 17)
    await writeFile(join(from, 'big'), big)
    const fat = await empty(join(t.testdirName, 'fat'), 40 * mebibyte)
    await make('mkfs.fat', '-F', '32', '-n', 'EFI', fat)
    await make('mcopy', '-i', fat, join(from, 'etc/hostname'), '::hostname')
    const efi = await disk(t, fat, 'EF')
    t.match(efi.volumes[0]?.facts, {
      fileSystem: 'fat32',
      label: 'EFI',
      sizeBytes: 40 * mebibyte,
      check: { result: 'clean' },
    })
    t.equal((await filesOf(efi).read('/hostname'))?.toString(), 'guest\n')
    const target = join(t.testdirName, 'saved')
    t.equal(await filesOf(efi).save?.('/hostname', target, 100), true)
    t.equal(await readFile(target, 'utf8'), 'guest\n')
    t.equal(await filesOf(efi).save?.('/none', join(t.testdirName, 'none'), 100), false)
    for (const prefix of ['', '@rootfs']) {
      const top = join(t.testdirName, `top${prefix}`)
      await mkdir(top)
      await make('cp', '-a', from, join(top, prefix))
      const btrfs = await empty(join(t.testdirName, `btrfs${prefix}`), 120 * mebibyte)
      await make('mkfs.btrfs', '-q', '-r', prefix === '' ? from : top, btrfs)
      const image = await disk(t, btrfs)
      t.match(image.volumes[0]?.facts, {
        fileSystem: 'btrfs',
        sizeBytes: 120 * mebibyte,
        check: { result: 'clean', method: 'full' },
      })
      t.equal((await filesOf(image).read('/etc/os-release'))?.toString(), 'ID=debian\n', prefix)
      t.ok((await filesOf(image).read('/big', 4 * mebibyte))?.equals(big), 'by way of a file')
      t.ok((await joined(filesOf(image), '/big', 4 * mebibyte)).equals(big), 'in pieces')
      await t.rejects(joined(filesOf(image), '/big', 2 * mebibyte), { code: 'too-large' })
      const left = (await readdir(image.tools.folder)).filter((name) => name.startsWith('saved-'))
      t.same(left, [], 'no file of ours is left')
      t.equal(await filesOf(image).read('/etc/none'), undefined)
      t.equal(await filesOf(image).pieces?.('/etc/none', mebibyte), undefined)
      t.equal(await filesOf(image).list('/none'), undefined)
    }
  },
)

t.test('UFS is named and its files are read', needs('makefs', 'grub-fstest'), async (t) => {
  const from = await tree(t)
  await writeFile(join(from, 'etc/with blank'), 'x')
  for (const version of ['1', '2']) {
    const file = join(t.testdirName, `ufs${version}`)
    await make('makefs', '-t', 'ffs', '-o', `version=${version}`, '-s', '40m', file, from)
    const image = await disk(t, file, 'a5')
    t.match(image.volumes[0]?.facts, { fileSystem: 'ufs', encryption: 'none', check: undefined })
    t.match(image.missing, [{ pointer: '/volumes/0/check', code: 'unsupported' }])
    const files = filesOf(image)
    t.equal((await files.read('/etc/hostname'))?.toString(), 'guest\n')
    t.equal(await files.read('/etc/none'), undefined)
    t.same(await files.stat('/etc/with blank'), { kind: 'file', sizeBytes: 1 })
    t.equal((await files.stat('/lib'))?.kind, 'link')
    t.equal(await files.stat('/none/x'), undefined)
    t.same((await files.list('/'))?.map(({ name, kind }) => `${name} ${kind}`).sort(), [
      'etc directory',
      'lib link',
      'usr directory',
    ])
    // GRUB cuts the last character off a short link of UFS; that must not look like absence.
    for (const path of ['/etc/os-release', '/lib/os-release']) await t.rejects(files.read(path), { code: 'unreadable' })
    await t.rejects(files.stat('/lib/os-release'), { code: 'unreadable' })
  }
})

t.test(
  'logical volumes are read, in one piece by the programs of their file system, in several by GRUB',
  needs('mkfs.ext4', 'debugfs', 'grub-fstest'),
  async (t) => {
    const bytes = await readFile(await makeExt(join(t.testdirName, 'fs'), await tree(t)))
    const file = await makeLvm(join(t.testdirName, 'pv'), 'vg-a', [
      { name: 'root', bytes, pieces: 1 },
      { name: 'home', bytes, pieces: 2 },
    ])
    const image = await disk(t, file, '8e')
    t.match(image.disk.facts.disk?.partitions, [{ number: 1, typeCode: '8e', content: 'lvm' }])
    t.match(
      image.volumes.map(({ facts }) => facts),
      [
        { device: '/dev/mapper/vg--a-root', fileSystem: 'ext4', sizeBytes: 64 * mebibyte, check: { result: 'clean' } },
        { device: '/dev/mapper/vg--a-home', sizeBytes: 64 * mebibyte, fileSystem: undefined },
      ],
    )
    t.equal(image.volumesComplete, true)
    t.match(image.missing, [{ pointer: '/volumes/1', code: 'unsupported' }])
    for (const index of [0, 1])
      t.equal((await filesOf(image, index).read('/etc/os-release'))?.toString(), 'ID=debian\n')
    await patch(`${file}.img`, mebibyte + 4096, Buffer.alloc(512))
    const broken = await openChecked(`${file}.img`)
    t.equal(broken.volumesComplete, false)
    t.match(broken.missing, [{ pointer: '/volumes', code: 'damaged' }])
    await broken.close()
  },
)

t.test('encrypted volumes, arrays and swap are recognised and named', needs('cryptsetup', 'mkswap'), async (t) => {
  const dir = t.testdir({ key: 'a passphrase for a test' })
  const luks = await empty(join(dir, 'luks'), 32 * mebibyte)
  await make(
    'cryptsetup',
    'luksFormat',
    '-q',
    '--type',
    'luks2',
    '--pbkdf',
    'pbkdf2',
    '--pbkdf-force-iterations',
    '1000',
    luks,
    join(dir, 'key'),
  )
  const locked = await disk(t, luks)
  t.match(locked.disk.facts.disk?.partitions, [{ content: 'encrypted' }])
  t.match(locked.volumes, [{ facts: { encryption: 'luks', uuid: /^[0-9a-f-]{36}$/ }, files: undefined }])
  t.match(locked.missing, [{ pointer: '/volumes/0', code: 'encrypted' }])
  t.equal(locked.volumesComplete, true)
  const swap = await empty(join(dir, 'swap'), 8 * mebibyte)
  await make('mkswap', '-q', swap)
  const swapped = await disk(t, swap, '82')
  t.match(swapped.disk.facts.disk?.partitions, [{ content: 'swap' }])
  t.same(swapped.volumes, [])
  const raid = await empty(join(dir, 'raid'), 8 * mebibyte)
  const superblock = Buffer.alloc(256)
  superblock.writeUInt32LE(0xa92b4efc, 0)
  superblock.writeUInt32LE(1, 4)
  superblock.write('0123456789abcdef', 16)
  superblock.writeBigUInt64LE(8n, 144)
  let sum = 0n
  for (let at = 0; at < 256; at += 4) sum += BigInt(superblock.readUInt32LE(at))
  superblock.writeUInt32LE(Number((sum & 0xffffffffn) + (sum >> 32n)) >>> 0, 216)
  await patch(raid, 4096, superblock)
  const array = await disk(t, raid, 'fd')
  t.match(array.disk.facts.disk?.partitions, [{ content: 'raid' }])
  t.equal(array.volumesComplete, false)
  t.match(array.missing, [{ pointer: '/volumes', code: 'unsupported', reason: /linux_raid_member/ }])
})

t.test('tables: logical partitions, a hybrid, none, and one behind the end', needs('mkfs.ext4'), async (t) => {
  const dir = t.testdir({ tree: {} })
  const file = await makeExt(join(dir, 'fs'), join(dir, 'tree'))
  const bare = await makeExt(join(dir, 'bare.raw'), join(dir, 'tree'))
  await make('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', bare, join(dir, 'bare.qcow2'))
  const open = async (path: string) => {
    const image = await openChecked(path)
    t.teardown(() => image.close())
    return image
  }
  const none = await open(join(dir, 'bare.qcow2'))
  t.match(none.disk.facts.disk, { partitionTable: 'none', partitions: [] })
  t.match(none.volumes[0]?.facts, { device: '/dev/sda', fileSystem: 'ext4' })
  t.equal((await disk(t, file, '0FC63DAF-8483-4772-8E79-3D69D8477DE4', 'gpt')).disk.facts.disk?.partitionTable, 'gpt')
  await patch(`${file}.img`, 462, Buffer.from('00feffff83feffff0008000000080000', 'hex'))
  t.equal((await open(`${file}.img`)).disk.facts.disk?.partitionTable, 'hybrid')
  const { writeTable } = await import('./disks.ts')
  const logical = await empty(join(dir, 'logical.img'), 32 * mebibyte)
  await writeTable(
    logical,
    'label: dos\nstart=2048, size=2048, type=83\nstart=4096, size=40960, type=5\nstart=6144, size=4096, type=83\nstart=12288, size=4096, type=82\n',
  )
  t.same(
    (await open(logical)).disk.facts.disk?.partitions?.map(({ number, content, typeCode }) => [
      number,
      typeCode,
      content,
    ]),
    [
      [1, '83', 'unformatted'],
      [2, '05', 'container'],
      [5, '83', 'unformatted'],
      [6, '82', 'unformatted'],
    ],
  )
  const beyond = await empty(join(dir, 'beyond.img'), 4 * mebibyte)
  await patch(beyond, 446, Buffer.from('00000000830000000000010000010000', 'hex'))
  await patch(beyond, 510, Buffer.from('55aa', 'hex'))
  const far = await open(beyond)
  t.equal(far.volumesComplete, false)
  t.match(far.missing, [{ pointer: '/disk/partitions/0/content', code: 'damaged' }, { pointer: '/volumes' }])
})
