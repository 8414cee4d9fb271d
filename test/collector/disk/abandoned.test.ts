import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { folderPrefix, removeAbandoned } from '../../../server/collector/tools/abandoned.ts'

const gone = 2 ** 22 + 1

t.test('what a killed run left is removed a day later, and nothing else', async (t) => {
  const temporary = mkdtempSync(join(tmpdir(), 'imagegate-test-'))
  const root = process.geteuid?.() === 0
  t.teardown(() => {
    if (root) process.seteuid?.(0)
    rmSync(temporary, { recursive: true, force: true })
  })
  const made = (name: string, days: number) => {
    const path = join(temporary, name)
    mkdirSync(path)
    writeFileSync(join(path, 'part'), 'x')
    const when = Date.now() / 1000 - days * 86_400
    utimesSync(path, when, when)
    return path
  }
  if (root) {
    const old = made(`imagegate-${gone}-root00`, 2)
    await removeAbandoned(temporary)
    t.ok(existsSync(old), 'root removes nothing')
    chownSync(temporary, 65_534, 65_534)
    process.seteuid?.(65_534)
  }
  const old = made(`imagegate-${gone}-Abc123`, 2)
  const kept = [
    made(`imagegate-${gone}-Abc124`, 0.5),
    made(`${folderPrefix}Abc125`, 2),
    made(`imagegate-${gone}-Abc1267`, 2),
    made('imagegate-test-Abc127', 2),
  ]
  await removeAbandoned(temporary)
  t.notOk(existsSync(old))
  for (const path of kept) t.ok(existsSync(path), path.slice(temporary.length))
  await t.resolves(removeAbandoned(join(temporary, 'none')), 'a folder that cannot be listed is no error')
})
