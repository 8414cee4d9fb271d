import { accessSync, constants } from 'node:fs'
import { chmod, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openDisk } from '../../../server/collector/disk/open.ts'
import { findTool } from '../../../server/collector/tools/find.ts'
import { openToolbox } from '../../../server/collector/tools/toolbox.ts'
import { empty, make, without } from './programs.ts'

const mebibyte = 1_048_576
const skip = without('qemu-img', 'qemu-storage-daemon', 'prlimit', 'setpriv')

function fuseHere(): boolean {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

t.test(
  'where a disk must be copied and there is no room, what keeps FUSE from being used is told',
  { skip },
  async (t) => {
    const dir = t.testdir({})
    const raw = await empty(join(dir, 'raw'), 8 * mebibyte)
    const path = join(dir, 'disk.qcow2')
    await make('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, path)
    await chmod(path, 0o644)
    const folder = join(dir, 'programs')
    await mkdir(folder)
    for (const name of ['prlimit', 'setpriv', 'qemu-img'] as const)
      await symlink((await findTool(name)) ?? '', join(folder, name))
    const box = await openToolbox({ signal: AbortSignal.timeout(60_000), folders: [folder] })
    t.teardown(() => box.close())
    const huge = 2 ** 52
    const layout = { driver: 'qcow2', sizeBytes: huge } as const
    const notices: string[] = []
    const onNotice = (notice: string) => notices.push(notice)
    const absent = 'qemu-storage-daemon is not installed: install the Debian package qemu-system-common.'
    const cause = fuseHere() ? absent : '/dev/fuse cannot be opened.'
    const disk = await openDisk(box, { path, fileSizeBytes: huge, layout, onNotice })
    t.same(
      notices,
      fuseHere() ? [`${absent} Without it the disk is copied where it must be shown, which takes room and time.`] : [],
    )
    const full = 'So the disk must be copied, and there is not enough free space for it.'
    await t.rejects(disk.whole(), { code: 'too-large', message: `${cause} ${full}` })
    const off = await openDisk(box, { path, fileSizeBytes: huge, layout, fuse: 'off' })
    await t.rejects(off.whole(), { code: 'too-large', message: `FUSE is not to be used. ${full}` })
  },
)
