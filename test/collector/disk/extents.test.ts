import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parseExtExtents } from '../../../server/collector/volumes/ext-extents.ts'
import { openChecked } from './checked.ts'
import { makeDisk, makeExt } from './disks.ts'
import { make, without } from './programs.ts'

const skip = without('qemu-img', 'qemu-storage-daemon', 'sfdisk', 'blkid', 'mkfs.ext4', 'debugfs')
const mebibyte = 1_048_576

const stat = (extents: string, flags = '80000', attributes = '') =>
  `debugfs: stat /f\nInode: 12   Type: regular    Mode:  0644   Flags: 0x${flags}\nUser: 0 Size: 9\n${attributes}EXTENTS:\n${extents}\n`

t.test('what debugfs prints for stat tells where a file lies, and nothing in doubt', async (t) => {
  t.same(parseExtExtents(stat('(0-1):100-101, (ETB0):7, (4):9, (5-6[u]):20-21, (7):30'), 1024), [
    { offset: 0, start: 102_400, length: 2048 },
    { offset: 4096, start: 9216, length: 1024 },
    { offset: 7168, start: 30_720, length: 1024 },
  ])
  const forged = 'Extended attributes:\n  user.x (9) = "\nEXTENTS:\n(0-9):1-10"\n'
  t.same(parseExtExtents(stat('(0):5', '80000', forged), 1), [{ offset: 0, start: 5, length: 1 }], 'the last is meant')
  for (const [text, why] of [
    [stat('(0-4):1-5, (4-5):9-10'), 'pieces on top of each other'],
    [stat('(4):1, (0):2'), 'out of order'],
    [stat('(5-4):1-2'), 'backwards'],
    [stat('(0):1, something'), 'unknown words'],
    [stat('(0):1', '0'), 'mapped by blocks'],
    [stat('(0):1', '10080000'), 'in the inode'],
    [stat('(0):1', '80800'), 'encrypted'],
    [stat(Array.from({ length: 5000 }, (_, index) => `(${index}):${index}`).join(', ')), 'in too many pieces'],
    [stat('(0):1').replace('regular', 'directory'), 'no file'],
    ['', 'nothing'],
  ] as const)
    t.equal(parseExtExtents(text, 4096), undefined, why)
})

t.test('a large file is the same read by its blocks, in every container', { skip }, async (t) => {
  const dir = t.testdirName
  const tree = join(dir, 'tree')
  t.testdir({ tree: {} })
  const whole = randomBytes(3 * mebibyte + 123)
  await mkdir(join(tree, 'etc'))
  await writeFile(join(tree, 'etc/whole'), whole)
  const sparse = await open(join(tree, 'etc/sparse'), 'w')
  for (const at of [0, 2, 5]) await sparse.write(whole, 0, 100_000, at * mebibyte)
  await sparse.close()
  await writeFile(join(tree, 'etc/reserved'), '')
  const ext = await makeExt(join(dir, 'fs'), tree, '-t', 'ext4')
  for (const command of ['fallocate /etc/reserved 0 300', `set_inode_field /etc/reserved size ${mebibyte}`])
    await make('debugfs', '-w', '-R', command, ext)
  const raw = await makeDisk(join(dir, 'disk.raw'), 'dos', [{ type: '83', file: ext }])
  const paths = [raw]
  for (const [format, ...options] of [
    ['qcow2'],
    ['qcow2', '-c'],
    ['qcow2', '-o', 'cluster_size=512'],
    ['vpc', '-o', 'subformat=dynamic,force_size=on'],
  ] as const) {
    const path = join(dir, `disk-${paths.length}.${format}`)
    await make('qemu-img', 'convert', '-f', 'raw', '-O', format, ...options, raw, path)
    paths.push(path)
  }
  for (const path of paths) {
    const image = await openChecked(path)
    t.teardown(() => image.close())
    t.match(image.volumes[0]?.facts.check, { result: 'clean' }, path)
    const files = image.volumes[0]?.files
    t.ok((await files?.read('/etc/whole', 8 * mebibyte))?.equals(whole), `${path}: whole`)
    t.ok(
      (await files?.read('/etc/sparse', 8 * mebibyte))?.equals(await readFile(join(tree, 'etc/sparse'))),
      `${path}: with holes`,
    )
    t.ok((await files?.read('/etc/reserved', 8 * mebibyte))?.equals(Buffer.alloc(mebibyte)), `${path}: never written`)
  }
  for (const [name, offset] of [
    ['whole', 0],
    ['sparse', 5 * mebibyte],
  ] as const) {
    const extents = parseExtExtents(await make('debugfs', '-R', `stat /etc/${name}`, ext), 1024) ?? []
    const piece = extents.find((one) => one.offset <= offset && one.offset + one.length > offset)
    const at = (piece?.start ?? 0) + offset - (piece?.offset ?? 0)
    const bytes = (await readFile(ext)).subarray(at, at + 1024)
    t.ok(bytes.equals(whole.subarray(0, 1024)), `debugfs told where ${name} lies`)
  }
})
