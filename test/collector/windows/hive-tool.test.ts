import { constants } from 'node:fs'
import { copyFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { GuestError, type GuestFiles } from '../../../server/collector/guest.ts'
import { openToolbox } from '../../../server/collector/tools/toolbox.ts'
import { hivesIn } from '../../../server/collector/windows/hive-tool.ts'
import { collectFrom } from './collecting.ts'
import { directoryFiles } from './directory.ts'
import { makeHive } from './hives.ts'
import { hiveOf, lacking } from './programs.ts'

const skip = lacking('hivexsh', 'hivexregedit', 'prlimit', 'setpriv')

const hivesLeft = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).filter((path) => /hive|script/.test(path))

t.test('the toolbox gives the same facts as the program alone, and keeps no hive', { skip }, async (t) => {
  const toolbox = await openToolbox({ signal: AbortSignal.timeout(60_000) })
  t.teardown(() => toolbox.close())
  t.same(await collectFrom([{ guest: {} }], 'mbr', hivesIn(toolbox)), await collectFrom([{ guest: {} }]))
  t.same(await hivesLeft(toolbox.folder), [])
})

t.test(
  'a hive is written by the program that reads the volume, where it can, and read by hivexsh alone',
  { skip },
  async (t) => {
    const toolbox = await openToolbox({ signal: AbortSignal.timeout(60_000) })
    t.teardown(() => toolbox.close())
    const saved: string[] = []
    const files = (root: string): GuestFiles => {
      const plain = directoryFiles(root)
      return {
        ...plain,
        read: async (path, maxBytes) => {
          if (path.includes('/config/')) throw new GuestError('unreadable', 'A hive was read into memory.')
          return plain.read(path, maxBytes)
        },
        save: async (path, target) => {
          saved.push(path.split('/').at(-1) ?? '')
          await copyFile(join(root, path), target, constants.COPYFILE_EXCL)
          return true
        },
      }
    }
    const found = await collectFrom([{ guest: {} }], 'mbr', hivesIn(toolbox), files)
    t.same(found, await collectFrom([{ guest: {} }]))
    t.same(saved, ['SYSTEM', 'SOFTWARE', 'SAM'])
  },
)

t.test('a hive is taken away also when its use fails', { skip }, async (t) => {
  const toolbox = await openToolbox({ signal: AbortSignal.timeout(60_000) })
  t.teardown(() => toolbox.close())
  const hive = await makeHive({ A: {} })
  await t.rejects(
    hivesIn(toolbox)(hiveOf(hive), async () => {
      t.ok((await hivesLeft(toolbox.folder)).length > 0)
      throw new Error('no use')
    }),
    { message: 'no use' },
  )
  t.same(await hivesLeft(toolbox.folder), [])
})

t.test(
  'without hivexsh every fact of the registry is missing, and the message names its package',
  { skip },
  async (t) => {
    const toolbox = await openToolbox({
      signal: AbortSignal.timeout(60_000),
      folders: ['/nonexistent'],
      sandbox: 'off',
    })
    t.teardown(() => toolbox.close())
    const { facts, missing } = await collectFrom([{ guest: {} }], 'mbr', hivesIn(toolbox))
    t.same(facts.os, { type: 'windows' })
    t.match(facts.volumes, [{ role: 'boot' }])
    t.match(
      missing.find(({ pointer }) => pointer === '/os/windows/build'),
      { code: 'tool-missing', reason: /libhivex-bin/ },
    )
  },
)
