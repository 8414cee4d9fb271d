import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import { makeRecord } from '../audit/records.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

t.test('an export that is killed half-way leaves the file as it was, and the next one is whole', async (t) => {
  const folder = t.testdir({ out: {} })
  const database = join(folder, 'imagegate.db')
  const store = await openSqliteStore({ file: database })
  await Promise.all(Array.from({ length: 3000 }, () => store.record(makeRecord())))
  await store.close()
  const output = join(folder, 'out', 'record.ndjson')
  const run = () =>
    spawn(process.execPath, [main, 'audit', 'export', '--database', `file:${database}`, '--output', output], {
      stdio: 'ignore',
    })
  /** Bytes that an export has written so far. */
  const written = () => {
    const [draft] = readdirSync(join(folder, 'out')).filter((name) => name.endsWith('.new'))
    return draft === undefined ? 0 : statSync(join(folder, 'out', draft)).size
  }
  writeFileSync(output, 'as it was')
  const killed = run()
  const ended = once(killed, 'exit')
  for (const deadline = Date.now() + 60_000; written() === 0 && Date.now() < deadline; ) await sleep(2)
  t.ok(written() > 0, 'it has begun to write')
  killed.kill('SIGKILL')
  t.same(await ended, [null, 'SIGKILL'])
  t.same(readFileSync(output, 'utf8'), 'as it was')
  t.notOk(readdirSync(join(folder, 'out')).includes('record.ndjson.manifest.json'))
  t.same(await once(run(), 'exit'), [0, null])
  t.equal(readFileSync(output, 'utf8').trimEnd().split('\n').length, 3000)
  t.match(JSON.parse(readFileSync(`${output}.manifest.json`, 'utf8')), { verdicts: 3000, sealed: 3000 })
})
