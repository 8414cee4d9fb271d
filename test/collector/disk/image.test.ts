import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { GuestFiles } from '../../../server/collector/guest.ts'
import type { ImageOptions } from '../../../server/collector/image.ts'
import { openChecked } from './checked.ts'
import { containers, makeDisk, makeExt } from './disks.ts'
import { empty, make, without } from './programs.ts'

const skip = without('qemu-img', 'qemu-storage-daemon', 'mkfs.ext4', 'mkfs.fat', 'mkswap', 'sfdisk', 'debugfs')

async function guestTree(dir: string): Promise<string> {
  await mkdir(join(dir, 'etc'), { recursive: true })
  await mkdir(join(dir, 'usr/lib'), { recursive: true })
  await writeFile(join(dir, 'usr/lib/os-release'), 'ID=debian\n')
  await symlink('../usr/lib/os-release', join(dir, 'etc/os-release'))
  await symlink('usr/lib', join(dir, 'lib'))
  await writeFile(join(dir, 'etc/shadow'), 'root:*:1::::::\n')
  await chmod(join(dir, 'etc/shadow'), 0o640)
  return dir
}

/** A disk with a file system for the firmware, root and swap. */
async function disk(t: Test, name = 'disk.img'): Promise<string> {
  const dir = t.testdir({ tree: {} })
  const root = await makeExt(join(dir, 'root'), await guestTree(join(dir, 'tree')), '-L', 'root')
  const efi = await empty(join(dir, 'efi'), 33_554_432)
  await make('mkfs.fat', '-F', '32', '-n', 'EFI', efi)
  const swap = await empty(join(dir, 'swap'), 8_388_608)
  await make('mkswap', '-q', swap)
  return makeDisk(join(dir, name), 'gpt', [
    { type: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B', file: efi },
    { type: '0FC63DAF-8483-4772-8E79-3D69D8477DE4', file: root },
    { type: '0657FD6D-A4AB-43C4-84E5-0933C84B4F4F', file: swap },
  ])
}

async function look(files: GuestFiles | undefined) {
  if (!files) return undefined
  const [release, shadow, through, nothing, entries, none] = await Promise.all([
    files.read('/etc/os-release'),
    files.stat('/etc/shadow'),
    files.read('/lib/os-release'),
    files.read('/etc/nothing'),
    files.list('/etc'),
    files.list('/none'),
  ])
  return { release: release?.toString(), shadow, through: through?.toString(), nothing, entries, none }
}

/** Everything but the container's own facts. */
async function inside(path: string, options: ImageOptions = {}) {
  const image = await openChecked(path, options)
  try {
    const volumes = await Promise.all(
      image.volumes.map(async ({ facts, files }) => ({ facts, seen: await look(files) })),
    )
    const { missing, volumesComplete, conditions } = image
    return {
      contents: { disk: image.disk.facts, volumes, missing, volumesComplete },
      conditions,
      image: image.image.facts,
    }
  } finally {
    t.same(await image.close(), { unchanged: true }, 'the image was not written')
  }
}

const digest = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
t.test('one disk has the same facts in every container, however it is read', { skip }, async (t) => {
  const all = await containers(await disk(t))
  const before = await Promise.all(Object.values(all).map(digest))
  const ways: ImageOptions[] = [{}, { fuse: 'off' }, { sandbox: 'off' }, { fuse: 'off', sandbox: 'off' }]
  const first = await inside(all['raw'] ?? '')
  t.matchOnly(
    first.contents.volumes.map(({ facts }) => [facts.device, facts.fileSystem, facts.label, facts.check]),
    [
      ['/dev/sda1', 'fat32', 'EFI', { result: 'clean', method: 'full' }],
      ['/dev/sda2', 'ext4', 'root', { result: 'clean', method: 'full' }],
    ],
  )
  t.same(
    first.contents.disk.disk?.partitions?.map(({ number, content }) => [number, content]),
    [
      [1, 'file-system'],
      [2, 'file-system'],
      [3, 'swap'],
    ],
  )
  t.equal(first.contents.disk.disk?.partitionTable, 'gpt')
  t.equal(first.contents.volumesComplete, true)
  t.same(first.contents.missing, [])
  t.match(first.contents.volumes[1]?.seen, {
    release: 'ID=debian\n',
    shadow: { kind: 'file', mode: 0o640, immutable: false, appendOnly: false },
    through: 'ID=debian\n',
    nothing: undefined,
    entries: [
      { name: 'os-release', kind: 'link' },
      { name: 'shadow', kind: 'file' },
    ],
    none: undefined,
  })
  for (const [name, path] of Object.entries(all)) {
    for (const way of ways) {
      const read = await inside(path, way)
      t.same(read.contents, first.contents, `${name} ${JSON.stringify(way)}`)
      if (way.sandbox === 'off') t.equal(read.conditions.sandboxed, false)
      if (way.fuse === 'off') t.notMatch(read.conditions.disk ?? '', /FUSE/)
    }
  }
  t.same(await Promise.all(Object.values(all).map(digest)), before, 'no image was written')
})

t.test('a QCOW2 that our own reader cannot read is still read by QEMU', { skip }, async (t) => {
  const raw = await disk(t)
  const first = await inside(raw)
  for (const option of ['compression_type=zstd', 'extended_l2=on', 'compat=0.10', 'cluster_size=512']) {
    const path = `${raw}.${option}`
    await make('qemu-img', 'convert', '-f', 'raw', '-c', '-O', 'qcow2', '-o', option, raw, path)
    t.same((await inside(path)).contents, first.contents, option)
  }
})

t.test('nothing is left behind: no mount, no directory', { skip }, async (t) => {
  const path = await disk(t)
  // A temporary folder of this test's own, because other tests collect at the same time.
  const own = await mkdtemp(join(tmpdir(), 'imagegate-test-'))
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = own
  t.teardown(async () => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
    await rm(own, { recursive: true })
  })
  await chmod(own, 0o755)
  for (const way of [{}, { sandbox: 'off' }, { fuse: 'off' }] as const) await inside(path, way)
  t.same(await readdir(own), [])
  t.notMatch(await readFile('/proc/self/mounts', 'utf8'), own)
})

t.test('a name that is a protocol or holds signs of a syntax is only a name', { skip }, async (t) => {
  const raw = await disk(t)
  const qcow2 = `${raw}.qcow2`
  await make('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2)
  const first = await inside(qcow2)
  for (const name of [
    'json:{"driver":"nbd"}',
    'nbd:localhost:1',
    'a,b,,c=d',
    'a?offset=1',
    '-a',
    'a\u001b[31mb',
    'a b\nc',
  ]) {
    for (const [source, ending] of [
      [raw, '.img'],
      [qcow2, '.qcow2'],
    ] as const) {
      const path = join(t.testdirName, `${name}${ending}`)
      await copyFile(source, path)
      for (const way of [{}, { fuse: 'off', sandbox: 'off' }] as const)
        t.same((await inside(path, way)).contents, first.contents, `${JSON.stringify(name)} ${JSON.stringify(way)}`)
    }
  }
})

t.test(
  'an image that only its owner may read is read by its owner',
  { skip: skip || (process.getuid?.() !== 0 && 'needs root') },
  async (t) => {
    // Another user must get as far as the image, whoever may read the folder of the tests.
    const folder = await mkdtemp(join(tmpdir(), 'imagegate-test-'))
    t.teardown(() => rm(folder, { recursive: true }))
    await chmod(folder, 0o755)
    const path = join(folder, 'disk.img')
    await copyFile(await disk(t), path)
    const first = await inside(path)
    await chmod(path, 0o600)
    t.same((await inside(path)).contents, first.contents, 'of root')
    execFileSync('chown', ['1234:1234', path])
    for (const way of [{}, { sandbox: 'off' }, { fuse: 'off' }] as const)
      t.same((await inside(path, way)).contents, first.contents, `of another ${JSON.stringify(way)}`)
  },
)

t.test(
  'what a missing program would have told is missing with its package, and the rest is there',
  { skip },
  async (t) => {
    const path = await disk(t)
    const tools = join(t.testdirName, 'tools')
    await mkdir(tools)
    const offered = [
      'bwrap',
      'prlimit',
      'setpriv',
      'nsenter',
      'qemu-storage-daemon',
      'qemu-img',
      'sfdisk',
      'blkid',
      'tune2fs',
    ]
    for (const name of offered)
      await symlink(execFileSync('which', [name], { encoding: 'utf8' }).trim(), join(tools, name))
    const some = await openChecked(path, { toolFolders: [tools] })
    await some.close()
    t.equal(some.disk.facts.disk?.partitionTable, 'gpt')
    t.match(some.volumes[1]?.facts, { fileSystem: 'ext4', features: Array })
    t.equal(some.volumes[1]?.facts.check, undefined)
    t.match(some.missing, [
      { pointer: '/volumes/0', code: 'tool-missing', reason: /dosfstools/ },
      { pointer: '/volumes/1/check', code: 'tool-missing', reason: /e2fsck.* e2fsprogs/ },
    ])
    const none = await openChecked(path, { toolFolders: [join(t.testdirName, 'tree')] })
    t.equal(none.image.facts.image?.format, 'raw', 'our own reader needs no program')
    t.match(none.missing, [
      { pointer: '/disk', code: 'tool-missing', reason: /Debian package/ },
      { pointer: '/volumes' },
    ])
    await none.close()
  },
)
