import { join } from 'node:path'
import t from 'tap'
import type { GuestFiles, Pieces } from '../../../server/collector/guest.ts'
import { readDpkg } from '../../../server/collector/linux/dpkg.ts'
import { kernelRelease } from '../../../server/collector/linux/kernel.ts'
import { RoutedFiles } from '../../../server/collector/linux/routed-files.ts'
import { plant, TreeFiles } from './support.ts'

const mebibyte = 1_048_576

/** A guest whose every file has the same content, given in pieces of so many bytes. */
function cut(content: Buffer, size: number): GuestFiles & { given: number } {
  const files = {
    given: 0,
    read: async () => content,
    list: async () => [],
    stat: async () => undefined,
    async pieces(): Promise<Pieces> {
      return (function* () {
        for (let at = 0; at < content.length; at += size) {
          files.given += 1
          yield content.subarray(at, at + size)
        }
      })()
    },
  }
  return files
}

const routed = (files: GuestFiles) =>
  new RoutedFiles([
    {
      mountPoint: '/',
      prefix: '',
      atBoot: true,
      readOnly: false,
      volume: { facts: {}, block: { device: 'x' }, files },
    },
  ])

t.test('settings are remembered up to a sum, and what would exceed it is unknown', async (t) => {
  const dir = join(t.testdir({ tree: {} }), 'tree')
  plant(dir, { '/large': Buffer.alloc(mebibyte), '/small': 'x' })
  const tree = new TreeFiles(dir)
  const files = routed({
    read: (path, most) => tree.read(path.startsWith('/large') ? '/large' : path, most),
    list: (path) => tree.list(path),
    stat: (path) => tree.stat(path),
  })
  t.equal((await files.read('/small'))?.length, 1)
  const read = await Promise.allSettled(Array.from({ length: 9 }, (_, n) => files.read(`/large-${n}`)))
  t.equal(read.filter(({ status }) => status === 'fulfilled').length, 7)
  await t.rejects(files.read('/large-9'), { code: 'too-large' })
  t.equal((await files.read('/small'))?.length, 1, 'what is remembered is there')
  t.equal((await files.read('/large-9', 2 * mebibyte))?.length, mebibyte, 'what is not remembered needs no room')
})

t.test('what is read at once has a bound, and all is read', async (t) => {
  let [now, most, all] = [0, 0, 0]
  const files = routed({
    async read(_, maxBytes = mebibyte) {
      now += maxBytes
      most = Math.max(most, now)
      await new Promise((resolve) => setImmediate(resolve))
      now -= maxBytes
      all += 1
      return Buffer.alloc(1)
    },
    list: async () => [],
    stat: async () => ({ kind: 'file', sizeBytes: 1 }),
  })
  const sizes = [64, 16, 16, 8, 1, 1, 30]
  const large = sizes.map((size, n) => files.read(`/large-${n}`, size * mebibyte))
  const small = Array.from({ length: 300 }, (_, n) => files.read(`/small-${n}`))
  await Promise.all([...large, ...small])
  t.equal(all, 307)
  t.equal(most, 64 * mebibyte, 'the largest ran alone')
})

const status = ['first', 'second', 'third']
  .map(
    (name) =>
      `Package: ${name}\nStatus: install ok installed\nVersion: 1:2-é\nArchitecture: amd64\nConffiles:\n /etc/${name} 0123\n`,
  )
  .join('\n\n')

t.test('the status of dpkg is the same wherever it is cut', async (t) => {
  const whole = await readDpkg(cut(Buffer.from(status), status.length * 2))
  t.same(
    whole?.map(({ name, version, configuration }) => [name, version, ...configuration]),
    ['first', 'second', 'third'].map((name) => [name, '1:2-é', `/etc/${name}`]),
  )
  for (const size of [1, 2, 3, 7, 50]) t.same(await readDpkg(cut(Buffer.from(status), size)), whole, `${size} bytes`)
})

t.test('a status of dpkg that holds too much is unknown', async (t) => {
  const of = (text: string) => readDpkg(cut(Buffer.from(text), mebibyte))
  await t.rejects(of(`Package: x\nDescription: ${'x'.repeat(5 * mebibyte)}`), { code: 'too-large' }, 'a paragraph')
  await t.rejects(of('Package: x\n\n'.repeat(20_001)), { code: 'too-large' }, 'paragraphs')
  const long = `Package: x\nStatus: install ok installed\nVersion: ${'1'.repeat(mebibyte)}\n\n`
  await t.rejects(of(long.repeat(17)), { code: 'too-large' }, 'what is kept of them')
})

t.test('of a kernel no more is read than its header', async (t) => {
  const kernel = Buffer.alloc(8 * mebibyte)
  kernel.write('HdrS', 0x202, 'latin1')
  kernel.writeUInt16LE(0xff00, 0x20e)
  kernel.write('5.10.0-9-amd64 (x)', 0x200 + 0xff00, 'latin1')
  const files = cut(kernel, 65_536)
  t.equal(await kernelRelease(files, '/boot/kernel'), '5.10.0-9-amd64')
  t.equal(files.given, 2)
})
