import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { GuestError, type GuestFiles } from '../../../server/collector/guest.ts'
import { WindowsFiles } from '../../../server/collector/windows/files.ts'
import { directoryFiles, writeContents } from './directory.ts'

t.test('names are found without regard to case, and an exact one wins', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'imagegate-names-'))
  t.teardown(() => rm(root, { recursive: true }))
  const contents = { '/WINDOWS/system32/Config/SoftWare': 'a', '/two/NAME': 'b', '/two/Name': 'c', '/K': 'd' }
  await writeContents(root, new Map(Object.entries(contents).map(([path, text]) => [path, Buffer.from(text)])))
  await mkdir(join(root, 'empty'))
  const files = new WindowsFiles(directoryFiles(root))
  t.equal(await files.find('/Windows/System32/config/SOFTWARE'), '/WINDOWS/system32/Config/SoftWare')
  t.equal((await files.read('/windows/SYSTEM32/config/software'))?.toString(), 'a')
  t.equal((await files.read('/two/Name'))?.toString(), 'c')
  t.equal((await files.stat('/EMPTY'))?.kind, 'directory')
  t.same(await files.list('/Empty'), [])
  t.equal(await files.find('/'), '/')
  for (const path of ['/Windows/nothing', '/two/name/below', '/nowhere/at/all']) {
    t.equal(await files.find(path), undefined, path)
    t.equal(await files.read(path), undefined, path)
    t.equal(await files.stat(path), undefined, path)
    t.equal(await files.list(path), undefined, path)
  }
  t.equal(await files.find('/\u212a'), undefined, 'the Kelvin sign is no K')
})

t.test('each directory is listed once, and an error is no absence', async (t) => {
  const listed: string[] = []
  const files: GuestFiles = {
    list: async (path) => {
      listed.push(path)
      if (path === '/Windows') throw new GuestError('damaged', 'The index is damaged.')
      return [{ name: 'Windows', kind: 'directory' }]
    },
    read: async () => undefined,
    stat: async () => undefined,
  }
  const windows = new WindowsFiles(files)
  await t.rejects(windows.find('/windows/System32'), { code: 'damaged' })
  await t.rejects(windows.read('/windows/System32/config/SAM'), { code: 'damaged' })
  t.equal(await windows.find('/bootmgr'), undefined)
  t.same(listed, ['/', '/Windows'])
})
