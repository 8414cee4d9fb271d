import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openBytes } from '../../../server/collector/sniff/bytes.ts'
import { digestOf } from '../../../server/collector/sniff/digest.ts'
import type { Sniffed } from '../../../server/collector/sniff/result.ts'
import { sniff } from '../../../server/collector/sniff/sniff.ts'
import { writeTable } from './disks.ts'
import { empty, make, patch, without } from './programs.ts'

const mebibyte = 1_048_576

async function sniffed(path: string): Promise<Sniffed> {
  const file = await openBytes(path)
  try {
    return await sniff(file)
  } finally {
    await file.close()
  }
}

/** A raw file of 4 MiB with an MBR signature, and more bytes if wanted. */
async function raw(t: Test, name = 'disk.img', bytes: Readonly<Record<number, string>> = {}): Promise<string> {
  const path = await empty(join(t.testdirName, name), 4 * mebibyte)
  await patch(path, 510, Buffer.from('55aa', 'hex'))
  for (const [offset, text] of Object.entries(bytes)) await patch(path, Number(offset), text)
  return path
}

t.beforeEach((t) => {
  t.testdir({})
})

t.test('a raw disk is known by its signature and its whole sectors alone', async (t) => {
  const path = await raw(t)
  const { image, layout, guest } = await sniffed(path)
  t.equal(image.format, 'raw')
  t.equal(image.virtualSizeBytes, 4 * mebibyte)
  t.same(image.container, { backingFile: false, externalDataFile: false, encrypted: false })
  t.same(layout, { driver: 'raw', sizeBytes: 4 * mebibyte })
  t.ok(guest)
  const gpt = await empty(join(t.testdirName, 'gpt'), mebibyte)
  await patch(gpt, 512, 'EFI PART')
  t.equal((await sniffed(gpt)).image.format, 'raw')
  await truncate(path, 4 * mebibyte - 100)
  const cut = await sniffed(path)
  t.equal(cut.image.format, undefined, 'not whole sectors')
  t.equal(cut.refusal?.code, 'unsupported')
  const nothing = await sniffed(await empty(join(t.testdirName, 'zero'), mebibyte))
  t.equal(nothing.image.format, undefined, 'no signature')
  t.equal(nothing.layout, undefined)
})

t.test('archives and compressed files are named and never opened', async (t) => {
  const magics: Record<string, string> = {
    gzip: '1f8b0800',
    xz: 'fd377a585a00',
    zip: '504b0304',
    bzip2: '425a6839',
    zstd: '28b52ffd',
    '7z': '377abcaf271c',
  }
  for (const [name, magic] of Object.entries(magics)) {
    const path = await raw(t, name)
    await patch(path, 0, Buffer.from(magic, 'hex'))
    const { image, refusal, layout } = await sniffed(path)
    t.equal(image.format, 'archive', name)
    t.equal(refusal?.code, 'unsupported', name)
    t.equal(layout, undefined, name)
  }
  t.equal((await sniffed(await raw(t, 'tar', { 257: 'ustar' }))).image.format, 'archive', 'tar, and so OVA')
})

t.test('an ISO is one even when a partition table makes it a hybrid', async (t) => {
  const { image, refusal } = await sniffed(await raw(t, 'hybrid.iso', { 32769: 'CD001' }))
  t.equal(image.format, 'iso')
  t.equal(refusal?.code, 'unsupported')
})

t.test('every container that qemu-img writes is told apart', { skip: without('qemu-img') }, async (t) => {
  const source = await raw(t)
  const expected = {
    qcow2: 'qcow2',
    qcow: 'qcow1',
    vpc: 'vhd',
    vhdx: 'vhdx',
    vmdk: 'vmdk',
    vdi: 'vdi',
    qed: 'qed',
    parallels: 'parallels',
  }
  for (const [name, format] of Object.entries(expected)) {
    const path = join(t.testdirName, `x.${name}`)
    await make('qemu-img', 'convert', '-f', 'raw', '-O', name, source, path)
    const { image, layout } = await sniffed(path)
    t.equal(image.format, format, name)
    t.equal(layout !== undefined, ['qcow2', 'vhd'].includes(format), `${name} is opened only when it is supported`)
    if (!['vhd', 'vhdx'].includes(format)) t.equal(image.virtualSizeBytes, 4 * mebibyte, name)
  }
})

t.test('the size of a VHD is what its footer says', { skip: without('qemu-img') }, async (t) => {
  const source = await raw(t)
  const convert = async (name: string, options: string) => {
    const path = join(t.testdirName, name)
    await make('qemu-img', 'convert', '-f', 'raw', '-O', 'vpc', '-o', options, source, path)
    return sniffed(path)
  }
  const fixed = await convert('fixed.vhd', 'subformat=fixed,force_size=on')
  t.equal(fixed.image.subformat, 'fixed')
  t.equal(fixed.image.fileSizeBytes, 4 * mebibyte + 512)
  t.equal(fixed.image.virtualSizeBytes, 4 * mebibyte)
  t.same(fixed.layout, { driver: 'raw', sizeBytes: 4 * mebibyte }, 'the footer is no part of the disk')
  t.equal(fixed.image.container?.check, 'clean')
  const dynamic = await convert('dynamic.vhd', 'subformat=dynamic,force_size=on')
  t.equal(dynamic.image.subformat, 'dynamic')
  t.equal(dynamic.image.virtualSizeBytes, 4 * mebibyte)
  t.equal(dynamic.image.container?.check, 'clean')
  const rounded = await convert('rounded.vhd', 'subformat=dynamic')
  const info = JSON.parse(
    await make('qemu-img', 'info', '-f', 'vpc', '--output=json', join(t.testdirName, 'rounded.vhd')),
  )
  t.equal(rounded.image.virtualSizeBytes, info['virtual-size'], 'rounded to a geometry')
  t.not(rounded.image.virtualSizeBytes, 4 * mebibyte)
})

t.test('a damaged VHD footer is still no raw disk', { skip: without('qemu-img') }, async (t) => {
  const path = join(t.testdirName, 'x.vhd')
  await make('qemu-img', 'convert', '-f', 'raw', '-O', 'vpc', '-o', 'subformat=fixed,force_size=on', await raw(t), path)
  await patch(path, 4 * mebibyte + 30, 'zz')
  const { image } = await sniffed(path)
  t.equal(image.format, 'vhd')
  t.equal(image.container?.check, 'corrupt')
})

t.test('a differencing VHD is refused', { skip: without('qemu-img') }, async (t) => {
  const path = join(t.testdirName, 'x.vhd')
  await make('qemu-img', 'convert', '-f', 'raw', '-O', 'vpc', await raw(t), path)
  const { size } = await stat(path)
  for (const footer of [0, size - 512]) await patch(path, footer + 63, Buffer.from([4]))
  const { image, refusal, layout } = await sniffed(path)
  t.equal(image.subformat, 'differencing')
  t.equal(image.container?.backingFile, true)
  t.equal(refusal?.code, 'refused')
  t.equal(layout, undefined)
})

t.test('a QCOW2 that is not complete or not plain is refused', { skip: without('qemu-img') }, async (t) => {
  const dir = t.testdirName
  await raw(t, 'base.img')
  const create = (...options: string[]) => make('qemu-img', 'create', '-q', '-f', 'qcow2', ...options)
  await create('-b', 'base.img', '-F', 'raw', join(dir, 'backing.qcow2'))
  await create('-o', `data_file=${join(dir, 'data.raw')},data_file_raw=on`, join(dir, 'data.qcow2'), '4M')
  await create(join(dir, 'plain.qcow2'), '4M')
  const changed = async (name: string, offset: number, hex: string) => {
    const path = join(dir, name)
    await copyFile(join(dir, 'plain.qcow2'), path)
    await patch(path, offset, Buffer.from(hex, 'hex'))
    return sniffed(path)
  }
  const backing = await sniffed(join(dir, 'backing.qcow2'))
  t.equal(backing.image.container?.backingFile, true)
  t.equal(backing.refusal?.code, 'refused')
  t.notMatch(JSON.stringify(backing), /base\.img/, 'the name is not repeated')
  const data = await sniffed(join(dir, 'data.qcow2'))
  t.equal(data.image.container?.externalDataFile, true)
  t.equal(data.refusal?.code, 'refused')
  const aes = await changed('aes.qcow2', 32, '00000001')
  t.equal(aes.image.container?.encrypted, true)
  t.equal(aes.refusal?.code, 'encrypted')
  t.equal((await changed('luks.qcow2', 32, '00000002')).refusal?.code, 'encrypted')
  t.equal((await changed('unknown.qcow2', 72, '0000000100000000')).refusal?.code, 'unsupported', 'an unknown feature')
  t.equal((await changed('corrupt.qcow2', 72, '0000000000000002')).refusal?.code, 'damaged')
  t.equal((await changed('bits.qcow2', 20, '0000003f')).refusal?.code, 'damaged', 'clusters of 2^63 bytes')
  t.equal((await changed('version.qcow2', 4, '00000009')).refusal?.code, 'damaged')
  const huge = await changed('huge.qcow2', 24, '00f0000000000000')
  t.equal(huge.image.format, 'qcow2')
  t.equal(huge.image.virtualSizeBytes, undefined, 'above what an exact number can say')
  t.equal(huge.refusal?.code, 'refused', '60 PiB')
  t.equal((await changed('big.qcow2', 24, '0000500000000000')).refusal?.code, 'refused', '80 TiB')
  const plain = await sniffed(join(dir, 'plain.qcow2'))
  t.equal(plain.image.container?.compatibility, '1.1')
  t.equal(plain.refusal, undefined)
  await create('-o', 'compat=0.10', join(dir, 'old.qcow2'), '4M')
  t.equal((await sniffed(join(dir, 'old.qcow2'))).image.container?.compatibility, '0.10')
})

t.test('a container inside the disk is refused, wherever it is stored', { skip: without('qemu-img') }, async (t) => {
  const inner = await raw(t, 'inner.img', { 0: 'QFI\u00fb' })
  await patch(inner, 0, Buffer.from('514649fb00000003', 'hex'))
  for (const options of [
    ['qcow2'],
    ['qcow2', '-c'],
    ['vpc', '-o', 'subformat=dynamic'],
    ['vpc', '-o', 'subformat=fixed'],
  ]) {
    const [format = '', ...rest] = options
    const path = join(t.testdirName, `outer-${options.join('')}`)
    await make('qemu-img', 'convert', '-f', 'raw', '-O', format, ...rest, inner, path)
    const { refusal, layout } = await sniffed(path)
    t.equal(layout, undefined, options.join(' '))
    t.ok(refusal, options.join(' '))
  }
})

t.test('our reader gives the guest bytes that qemu-img gives', { skip: without('qemu-img', 'sfdisk') }, async (t) => {
  const source = await raw(t)
  await writeTable(source, 'label: dos\nstart=2048, size=2048, type=83\n')
  await patch(source, 3 * mebibyte, 'far behind')
  const want = await readFile(source)
  for (const [format, ...rest] of [
    ['qcow2'],
    ['qcow2', '-c'],
    ['qcow2', '-o', 'cluster_size=512'],
    ['vpc', '-o', 'force_size=on'],
  ]) {
    const path = join(t.testdirName, `read-${format}${rest.join('')}`)
    await make('qemu-img', 'convert', '-f', 'raw', '-O', format ?? '', ...rest, source, path)
    const file = await openBytes(path)
    const { guest } = await sniff(file)
    const read = await guest?.(0, 4 * mebibyte)
    t.ok(read?.equals(want), `${format} ${rest.join(' ')}`)
    t.equal((await guest?.(4 * mebibyte - 10, 100))?.length, 10, 'it ends with the disk')
    await file.close()
  }
})

t.test('what is no file is refused without being opened for long', async (t) => {
  await t.rejects(openBytes(t.testdirName), { code: 'refused' })
  await make('/usr/bin/mkfifo', join(t.testdirName, 'pipe'))
  await t.rejects(openBytes(join(t.testdirName, 'pipe')), { code: 'refused' })
  await symlink('/dev/zero', join(t.testdirName, 'zero'))
  await t.rejects(openBytes(join(t.testdirName, 'zero')), { code: 'refused' })
  await t.rejects(openBytes(join(t.testdirName, 'none')), { code: 'ENOENT' })
})

t.test('a file that is exchanged or written while it is read is noticed', async (t) => {
  const path = await raw(t)
  const file = await openBytes(path)
  t.equal(await file.unchanged(), true)
  await patch(path, 1000, 'x')
  t.equal(await file.unchanged(), false)
  await file.close()
})

t.test('the digest is that of the whole file', async (t) => {
  await mkdir(join(t.testdirName, 'd'))
  const path = join(t.testdirName, 'd', 'bytes')
  const bytes = Buffer.alloc(3 * mebibyte + 7, 'imagegate')
  await writeFile(path, bytes)
  const file = await openBytes(path)
  t.equal(await digestOf(file), `sha256:${createHash('sha256').update(bytes).digest('hex')}`)
  await file.close()
})
