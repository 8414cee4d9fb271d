import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { GuestError } from '../../../server/collector/guest.ts'
import { packedNames } from '../../../server/collector/linux/packed-names.ts'
import { startEarly, UnpackThread } from '../../../server/collector/linux/unpack-thread.ts'
import { cpio } from '../images/cpio.ts'

const files = ['init', 'lib/modules/1/virtio_blk.ko', 'lib/firmware/a'].map((path) => {
  return { path, content: randomBytes(300_000) }
})
const packed = gzipSync(cpio(files))

function* cut(bytes: Buffer, size: number): Generator<Buffer, void, void> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size))
}

t.test('a thread tells the names of one archive after another, whatever pieces they come in', async (t) => {
  const thread = new UnpackThread()
  t.teardown(() => thread.close())
  const names = await packedNames('gzip', [packed])
  t.ok(names.includes('lib/modules/1/virtio_blk.ko'))
  for (const size of [1000, 65_536, packed.length])
    t.same(await thread.names('gzip', cut(packed, size)), names, `${size}`)
  const behind = Buffer.concat([packed, randomBytes(2_000_000)])
  await t.rejects(thread.names('gzip', cut(behind, 10_000)), { code: 'damaged' }, 'as in our own thread')
  t.same(await thread.names('gzip', cut(packed, 100_000)), names, 'behind one that was left')
})

t.test('what keeps a thread from its names is told', async (t) => {
  const thread = new UnpackThread()
  t.teardown(() => thread.close())
  await t.rejects(thread.names('gzip', cut(packed.subarray(0, 500_000), 10_000)), { code: 'damaged' }, 'cut off')
  await t.rejects(thread.names('lz4', [randomBytes(100_000)]), { code: 'damaged' }, 'no archive')
  const failing = (function* () {
    yield Buffer.from(packed.subarray(0, 1000))
    throw new GuestError('unreadable', 'The disk ends here.')
  })()
  await t.rejects(thread.names('gzip', failing), { code: 'unreadable' }, 'what the pieces come from')
})

t.test('a thread that has ended keeps nobody waiting', async (t) => {
  const thread = new UnpackThread()
  const waiting = thread.names('gzip', cut(packed, 1000))
  const closed = t.rejects(waiting, { code: 'too-large' })
  await thread.close()
  await closed
  await t.rejects(thread.names('gzip', cut(packed, 1000)), { code: 'too-large' })
})

t.test('a thread that was started early serves one archive, and the next has its own', async (t) => {
  const names = await packedNames('gzip', [packed])
  startEarly()
  startEarly()
  const [early, late] = [new UnpackThread(), new UnpackThread()]
  t.teardown(() => Promise.all([early.close(), late.close()]))
  await early.close()
  await t.rejects(early.names('gzip', cut(packed, 1000)), { code: 'too-large' })
  t.same(await late.names('gzip', cut(packed, 100_000)), names)
})

/** Runs a program of its own that has what the thread's module exports. */
function alone(program: string) {
  const place = new URL('../../../dist/collector/linux/unpack-thread.js', import.meta.url).href
  const all = `import('${place}').then(async ({ startEarly, UnpackThread }) => { ${program} })`
  return spawnSync(process.execPath, ['--eval', all], { timeout: 10_000, encoding: 'utf8' })
}

t.test('a thread that nobody takes keeps no process from ending', async (t) => {
  t.equal(alone('startEarly(); startEarly()').status, 0)
})

t.test('an early thread answers in a process that waits for nothing else', async (t) => {
  const small = gzipSync(cpio([{ path: 'init' }])).toString('base64')
  const { stdout } = alone(`
    startEarly()
    const thread = new UnpackThread()
    console.log(await thread.names('gzip', [Buffer.from('${small}', 'base64')]))
    await thread.close()`)
  t.equal(stdout, "[ 'init' ]\n")
})
