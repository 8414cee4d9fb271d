import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { diagnose } from '../../server/collector/doctor.ts'
import { findTool } from '../../server/collector/tools/find.ts'
import { tools } from '../../server/collector/tools/table.ts'

const signal = AbortSignal.timeout(60_000)

t.test('every program of the table is told, with version, package and what it is for', async (t) => {
  const { tools: found, conditions } = await diagnose(signal)
  t.same(
    found.map(({ name }) => name),
    Object.keys(tools),
  )
  for (const { name, path, version, package: brings, serves } of found) {
    t.match(brings, /^[a-z0-9.+-]+$/, name)
    t.same({ package: brings, serves }, Reflect.get(tools, name))
    t.ok(serves.length > 10, name)
    if (path !== undefined) t.match(path, new RegExp(`^/.*/${name.replaceAll('.', '\\.')}$`))
    if (name === 'hivexsh') t.equal(version, undefined, 'it tells its version nowhere')
    else if (path !== undefined) t.match(version, /^\d+\.\d+/, name)
  }
  t.same(
    conditions.map(({ name }) => name),
    ['sandbox', 'FUSE'],
  )
})

t.test('what is not there has no path and no version', async (t) => {
  const folder = join(t.testdir(), 'programs')
  mkdirSync(folder)
  const blkid = await findTool('blkid')
  if (blkid !== undefined) symlinkSync(blkid, join(folder, 'blkid'))
  const { tools: found, conditions } = await diagnose(signal, [folder])
  for (const { name, path, version } of found) {
    if (name === 'blkid') continue
    t.same([path, version], [undefined, undefined], name)
  }
  t.match(conditions[0], { name: 'sandbox', holds: false, meaning: /limits alone/ })
})
