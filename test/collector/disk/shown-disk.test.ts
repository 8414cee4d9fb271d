import { accessSync, constants } from 'node:fs'
import { chmod, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { daemonDisk } from '../../../server/collector/disk/daemon.ts'
import { probeEarly } from '../../../server/collector/tools/probe-sandbox.ts'
import { openToolbox } from '../../../server/collector/tools/toolbox.ts'
import { empty, make, without } from './programs.ts'

function noFuse(): string | false {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK)
    return false
  } catch {
    return 'no FUSE here'
  }
}

const skip = without('qemu-img', 'qemu-storage-daemon', 'prlimit', 'setpriv') || noFuse()
const mebibyte = 1_048_576

t.test(
  'of a disk that a daemon shows, a program that can be told where a range begins gets the whole',
  { skip },
  async (t) => {
    const dir = t.testdir({})
    const raw = await empty(join(dir, 'raw'), 8 * mebibyte)
    const image = join(dir, 'disk.qcow2')
    await make('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, image)
    await chmod(image, 0o644)
    const { size } = await stat(raw)
    const box = await openToolbox({ signal: AbortSignal.timeout(60_000) })
    t.teardown(() => box.close())
    const disk = await daemonDisk(box, image, { driver: 'qcow2', sizeBytes: size }, false)
    t.teardown(() => disk.close())
    const whole = await disk.whole()
    t.same(await disk.part(mebibyte, mebibyte, 'offsets'), { ...whole, offset: mebibyte })
    const range = await disk.part(mebibyte, mebibyte)
    t.not(range.path, whole.path, 'any other gets a file of its own')
    t.equal(range.offset, undefined)
    for (const offsets of ['offsets', undefined] as const)
      await t.rejects(disk.part(size - mebibyte, 2 * mebibyte, offsets), { code: 'damaged' })
  },
)

t.test('what keeps an early look at the sandbox from being had is left to whoever opens the image', async (t) => {
  await t.resolves(probeEarly(join(t.testdir({}), 'nothing')))
  await t.resolves(probeEarly(''))
})
