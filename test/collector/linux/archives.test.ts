import zlib, { gzipSync } from 'node:zlib'
import t from 'tap'
import { GuestError } from '../../../server/collector/guest.ts'
import { CpioNames } from '../../../server/collector/linux/cpio.ts'
import { initramfsNames } from '../../../server/collector/linux/initramfs.ts'
import type { Decompress } from '../../../server/collector/linux/input.ts'
import { lz4Block } from '../../../server/collector/linux/lz4.ts'
import { cpio } from './support.ts'

/** The names, and the same when the bytes come one by one. */
async function namesIn(bytes: Buffer, decompress: Decompress | undefined): Promise<string[] | undefined> {
  const [whole, cut] = await Promise.allSettled([
    initramfsNames([bytes], decompress),
    initramfsNames(
      Array.from(bytes, (byte) => Buffer.from([byte])),
      decompress,
    ),
  ])
  t.same(cut, whole, 'in pieces')
  if (whole.status === 'rejected') throw whole.reason
  return whole.value
}

t.test('an initramfs is read in every layout', async (t) => {
  const names = ['init', 'lib/modules/1/virtio_blk.ko']
  t.same(await namesIn(cpio(names), undefined), names, 'not compressed')
  const parts = Buffer.concat([
    cpio(['kernel/x86']),
    Buffer.alloc(300),
    cpio(['early2']),
    Buffer.alloc(4),
    gzipSync(cpio(names)),
  ])
  t.same(await namesIn(parts, undefined), ['kernel/x86', 'early2', ...names], 'archives in front')
  const padded = Buffer.concat([
    gzipSync(Buffer.concat([cpio(['a']), Buffer.alloc(512), cpio(['b'])])),
    Buffer.alloc(100),
  ])
  t.same(await namesIn(padded, undefined), ['a', 'b'], 'archives inside, zeros behind')
  t.equal(await namesIn(Buffer.from('no archive at all'), undefined), undefined)
  t.equal(await namesIn(Buffer.alloc(64), undefined), undefined)
  await t.rejects(namesIn(gzipSync(cpio(names)).subarray(0, 60), undefined), { code: 'damaged' })
  await t.rejects(namesIn(Buffer.from('fd377a585a000000', 'hex'), undefined), { code: 'unsupported' })
  const given = await namesIn(Buffer.from('fd377a585a000000', 'hex'), async function* (kind) {
    t.equal(kind, 'xz')
    const whole = cpio(names)
    // In small pieces, so that a header is cut in two.
    for (let at = 0; at < whole.length; at += 7) yield whole.subarray(at, at + 7)
  })
  t.same(given, names, 'undone by whoever can')
})

t.test('what a program unpacks is handed to it in pieces', async (t) => {
  let asked = 0
  let given = 0
  const pieces = async function* () {
    for (let piece = 0; piece < 64; piece++) {
      asked += 1
      const bytes = Buffer.alloc(4096)
      if (piece === 0) bytes.write('fd377a585a00', 'hex')
      yield bytes
    }
  }
  const names = await initramfsNames(pieces(), async function* (_, packed) {
    for await (const piece of packed) {
      given += piece.length
      t.ok(asked <= given / 4096 + 2, 'none is read before it is wanted')
    }
    yield cpio(['init'])
  })
  t.same(names, ['init'])
  t.equal(given, 64 * 4096)
})

t.test('zstd is undone where Node can, and is unknown elsewhere', async (t) => {
  const compress: unknown = Reflect.get(zlib, 'zstdCompressSync')
  const packed: unknown = typeof compress === 'function' ? compress(cpio(['init'])) : undefined
  if (Buffer.isBuffer(packed)) t.same(await namesIn(packed, undefined), ['init'])
  else await t.rejects(namesIn(Buffer.from('28b52ffd', 'hex'), undefined), { code: 'unsupported' })
})

t.test('LZ4 is undone, with copies that overlap', async (t) => {
  const target = Buffer.alloc(64)
  // Three letters, then nine more by a copy from three bytes before, then the end.
  const block = Buffer.from([0x35, 0x61, 0x62, 0x63, 0x03, 0x00, 0x10, 0x21])
  t.equal(target.toString('latin1', 0, lz4Block(block, target)), 'abcabcabcabc!')
  t.throws(() => lz4Block(Buffer.from([0x05, 0x03, 0x00]), target), GuestError, 'a copy from before the start')
  t.throws(() => lz4Block(Buffer.from([0xff, 0xff]), target), GuestError)
  const archive = cpio(['init'])
  const literals: number[] = [0xf0]
  let rest = archive.length - 15
  for (; rest >= 255; rest -= 255) literals.push(255)
  const packed = Buffer.concat([Buffer.from([...literals, rest]), archive])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(packed.length)
  t.same(await namesIn(Buffer.concat([Buffer.from('02214c18', 'hex'), size, packed]), undefined), ['init'])
})

t.test('a damaged archive is refused', (t) => {
  const names = new CpioNames()
  const bad = cpio(['init'])
  bad.write('zzzzzzzz', 94)
  t.throws(() => names.take(bad), GuestError)
  t.end()
})
