import { readdir } from 'node:fs/promises'
import t from 'tap'
import { openToolbox } from '../../../server/collector/tools/toolbox.ts'
import { hivesIn } from '../../../server/collector/windows/hive-tool.ts'
import { collectFrom } from './collecting.ts'
import { makeHive } from './hives.ts'
import { lacking } from './programs.ts'

const skip = lacking('hivexsh', 'hivexregedit', 'prlimit', 'setpriv')

const hivesLeft = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).filter((path) => /hive|script/.test(path))

t.test('the toolbox gives the same facts as the program alone, and keeps no hive', { skip }, async (t) => {
  const toolbox = await openToolbox({ signal: AbortSignal.timeout(60_000) })
  t.teardown(() => toolbox.close())
  t.same(await collectFrom([{ guest: {} }], 'mbr', hivesIn(toolbox)), await collectFrom([{ guest: {} }]))
  t.same(await hivesLeft(toolbox.folder), [])
})

t.test('a hive is taken away also when its use fails', { skip }, async (t) => {
  const toolbox = await openToolbox({ signal: AbortSignal.timeout(60_000) })
  t.teardown(() => toolbox.close())
  const hive = await makeHive({ A: {} })
  await t.rejects(
    hivesIn(toolbox)(hive, async () => {
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
