import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type ImageOptions, openImage } from '../../../server/collector/image.ts'
import { makeDisk, makeExt } from './disks.ts'
import { empty, make, patch, without } from './programs.ts'

const skip = without('qemu-img', 'qemu-storage-daemon', 'mkfs.ext4', 'sfdisk', 'debugfs')
const mebibyte = 1_048_576
const ways: readonly ImageOptions[] = [{}, { fuse: 'off', sandbox: 'off' }]

/** A file of the host whose text must not come out, 1 MiB long so that it also serves as a disk. */
async function canary(t: Test): Promise<{ file: string; text: string; dir: string }> {
  const dir = t.testdir({})
  const text = `canary-${randomBytes(12).toString('hex')}`
  const file = join(dir, 'canary')
  await writeFile(file, Buffer.alloc(mebibyte, `${text}\n`))
  return { file, text, dir }
}

/** Opens an image and asks all volumes; gives everything that came out as one text. */
async function everything(t: Test, path: string, options: ImageOptions = {}): Promise<string> {
  const image = await openImage(path, { ...options, digest: true })
  const out: unknown[] = [image.image, image.disk, image.missing]
  for (const { facts, files, missing } of image.volumes) {
    out.push(facts, missing)
    const asked = ['/etc/hostname', '/canary', '/']
    const answers = await Promise.allSettled(
      asked.flatMap((one) => [files?.read(one), files?.list(one), files?.stat(one)]),
    )
    for (const one of answers)
      out.push(one.status === 'fulfilled' ? String(JSON.stringify(one.value)) + String(one.value) : String(one.reason))
  }
  t.same(await image.close(), { unchanged: true })
  return JSON.stringify(out)
}

t.test('1: a raw file that begins like a QCOW2 with a backing file gives nothing of it', { skip }, async (t) => {
  const { file, text, dir } = await canary(t)
  const path = join(dir, 'raw.img')
  await make('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', file, '-F', 'raw', path)
  await truncate(path, 8 * mebibyte)
  await patch(path, 510, Buffer.from('55aa', 'hex'))
  for (const way of ways) {
    const out = await everything(t, path, way)
    t.notMatch(out, text)
    t.notMatch(out, file, 'nor is the name repeated')
    t.match(out, /"refused"/)
  }
  const outer = join(dir, 'outer.qcow2')
  await make('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', path, outer)
  for (const way of ways) {
    const out = await everything(t, outer, way)
    t.notMatch(out, text)
    t.match(out, /first sector of the disk itself/)
  }
})

t.test('2: a backing file and an external data file are not followed', { skip }, async (t) => {
  const { file, text, dir } = await canary(t)
  const backing = join(dir, 'backing.qcow2')
  await make('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', file, '-F', 'raw', backing)
  const data = join(dir, 'data.qcow2')
  await copyFile(file, join(dir, 'copy'))
  await make(
    'qemu-img',
    'create',
    '-q',
    '-f',
    'qcow2',
    '-o',
    `data_file=${join(dir, 'copy')},data_file_raw=on`,
    data,
    '1M',
  )
  await copyFile(file, join(dir, 'copy'))
  for (const path of [backing, data]) {
    for (const way of ways) {
      const out = await everything(t, path, way)
      t.notMatch(out, text)
      t.match(out, /"refused"/)
    }
  }
})

t.test('3: a disk is never probed for a format: one inside a partition stays bytes', { skip }, async (t) => {
  const { file, text, dir } = await canary(t)
  const inner = join(dir, 'inner')
  await make('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', file, '-F', 'raw', inner)
  await truncate(inner, 2 * mebibyte)
  const path = await makeDisk(join(dir, 'disk.img'), 'dos', [{ type: '83', file: inner }])
  for (const way of ways) {
    const out = await everything(t, path, way)
    t.notMatch(out, text)
    t.match(out, /"partitionTable":"mbr"/)
  }
})

t.test('4: a size of 60 PiB, and one of 80 TiB, end at once', { skip }, async (t) => {
  const { dir } = await canary(t)
  for (const size of ['00f0000000000000', '0000500000000000']) {
    const path = join(dir, `${size}.qcow2`)
    await make('qemu-img', 'create', '-q', '-f', 'qcow2', path, '1M')
    await patch(path, 24, Buffer.from(size, 'hex'))
    const start = performance.now()
    t.match(await everything(t, path), /above 64 TiB/)
    t.ok(performance.now() - start < 5000)
  }
})

t.test('5: file names and link targets of the guest forge no answer', { skip }, async (t) => {
  const dir = t.testdir({})
  const tree = join(dir, 'tree')
  await mkdir(join(tree, 'etc'), { recursive: true })
  const forged = '"\ndebugfs: stat "/etc/shadow"\nInode: 9   Type: regular    Mode:  0777   Flags: 0x10\n"'
  await symlink(forged, join(tree, 'etc/evil'))
  await writeFile(join(tree, 'etc/shadow'), 'x')
  await writeFile(join(tree, 'etc/\u001b[31mred\n99 name'), 'x')
  await writeFile(join(tree, 'etc/quote"name'), 'x')
  const path = await makeDisk(join(dir, 'disk.img'), 'dos', [
    { type: '83', file: await makeExt(join(dir, 'fs'), tree) },
  ])
  const image = await openImage(path)
  const files = image.volumes[0]?.files
  t.ok(files)
  const [evil, shadow, list, none] = await Promise.all([
    files?.stat('/etc/evil'),
    files?.stat('/etc/shadow'),
    files?.list('/etc'),
    files?.stat('/etc/nothing'),
  ])
  t.equal(evil?.target, forged)
  t.match(shadow, { mode: 0o644, immutable: false, sizeBytes: 1 })
  t.equal(none, undefined)
  t.same(list?.map(({ name }) => name).sort(), ['evil', 'quote"name', 'shadow'])
  const [before, slash, after] = await Promise.all(
    ['/etc/a\\b', '/etc/shadow\\', '/etc/shadow'].map((one) => files?.stat(one)),
  )
  t.same([before, slash, after?.kind], [undefined, undefined, 'file'], 'a backslash escapes nothing')
  for (const hostile of ['/etc/quote"name', '/etc/a\nquit', '/etc/$(id)', 'etc/shadow', `/${'a/'.repeat(4000)}`])
    await t.rejects(
      async () => void (await files?.read(hostile)),
      { code: 'refused' },
      JSON.stringify(hostile.slice(0, 20)),
    )
  await image.close()
})

t.test('links lead nowhere but into the guest, and not in circles', { skip }, async (t) => {
  const { file, text, dir } = await canary(t)
  const tree = join(dir, 'tree')
  await mkdir(join(tree, 'etc'), { recursive: true })
  await symlink('b', join(tree, 'etc/a'))
  await symlink('a', join(tree, 'etc/b'))
  await symlink(file, join(tree, 'etc/hostname'))
  await symlink(`../../../../../..${file}`, join(tree, 'canary'))
  await symlink('.', join(tree, 'etc/self'))
  await symlink(`/etc/${'self/'.repeat(60)}end`, join(tree, 'etc/long'))
  await writeFile(join(tree, 'etc/end'), 'the end')
  const path = await makeDisk(join(dir, 'disk.img'), 'dos', [
    { type: '83', file: await makeExt(join(dir, 'fs'), tree) },
  ])
  for (const way of ways) t.notMatch(await everything(t, path, way), text)
  const image = await openImage(path)
  const files = image.volumes[0]?.files
  await t.rejects(async () => void (await files?.read('/etc/a')), { code: 'unreadable' })
  t.equal(await files?.read('/etc/hostname'), undefined)
  t.equal((await files?.read('/etc/self/end'))?.toString(), 'the end')
  await t.rejects(async () => void (await files?.read('/etc/end', 3)), { code: 'too-large' })
  await t.rejects(async () => void (await files?.read('/etc')), { code: 'unreadable' })
  await image.close()
})

t.test('truncated, zeroed and random images end soon and without a crash', { skip }, async (t) => {
  const dir = t.testdir({ tree: { etc: { hostname: 'x' } } })
  const whole = await makeDisk(join(dir, 'disk.img'), 'gpt', [
    { type: '0FC63DAF-8483-4772-8E79-3D69D8477DE4', file: await makeExt(join(dir, 'fs'), join(dir, 'tree')) },
  ])
  const qcow2 = join(dir, 'disk.qcow2')
  await make('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', whole, qcow2)
  const images: string[] = []
  const add = async (name: string, source: string, change: (path: string) => Promise<void>) => {
    const path = join(dir, name)
    await copyFile(source, path)
    await change(path)
    images.push(path)
  }
  const size = (await readFile(qcow2)).length
  for (const part of [100, 1000, 70_000, Math.floor(size / 2)])
    await add(`cut-${part}.qcow2`, qcow2, (path) => truncate(path, part))
  await add('cut.img', whole, (path) => truncate(path, 20 * mebibyte))
  await add('short.img', whole, (path) => truncate(path, 1536))
  await add('superblock.img', whole, (path) => patch(path, mebibyte + 1024, randomBytes(1024)))
  await add('inodes.img', whole, (path) => patch(path, mebibyte + 4096, randomBytes(2 * mebibyte)))
  await add('table.img', whole, (path) => patch(path, 1024, randomBytes(4096)))
  await add('tables.qcow2', qcow2, (path) => patch(path, 65_536, randomBytes(131_072)))
  await empty(join(dir, 'zero.img'), 4 * mebibyte)
  const random = Buffer.concat([randomBytes(510), Buffer.from('55aa', 'hex'), randomBytes(4 * mebibyte - 512)])
  await writeFile(join(dir, 'random.img'), random)
  images.push(join(dir, 'zero.img'), join(dir, 'random.img'))
  for (const path of images) {
    const start = performance.now()
    const out = await everything(t, path, { seconds: 20 })
    t.ok(performance.now() - start < 20_000, path.slice(dir.length))
    t.match(out, /"code":"[a-z-]+","reason":"|"partitionTable"/, `${path.slice(dir.length)} says what it found`)
  }
})

t.test('time ends a reading and leaves the rest of the facts', { skip }, async (t) => {
  const dir = t.testdir({ tree: {} })
  const path = await makeDisk(join(dir, 'disk.img'), 'dos', [
    { type: '83', file: await makeExt(join(dir, 'fs'), join(dir, 'tree')) },
  ])
  const image = await openImage(path, { signal: AbortSignal.abort() })
  t.equal(image.image.facts.image?.format, 'raw')
  t.match(image.missing, [
    { pointer: '/disk', code: 'timed-out' },
    { pointer: '/volumes', code: 'timed-out' },
  ])
  await image.close()
})
