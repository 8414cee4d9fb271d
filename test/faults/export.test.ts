import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import { makeRecord } from '../audit/records.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

t.test(
  'an export that is killed half-way leaves file and manifest as they were, and the next one is whole',
  async (t) => {
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
    const manifest = `${output}.manifest.json`
    for (const file of [output, manifest]) writeFileSync(file, 'as it was')
    const killed = run()
    const ended = once(killed, 'exit')
    for (const deadline = Date.now() + 60_000; written() === 0 && Date.now() < deadline; ) await sleep(2)
    t.ok(written() > 0, 'it has begun to write')
    killed.kill('SIGKILL')
    t.same(await ended, [null, 'SIGKILL'])
    for (const file of [output, manifest]) t.equal(readFileSync(file, 'utf8'), 'as it was')
    t.same(await once(run(), 'exit'), [0, null])
    t.equal(readFileSync(output, 'utf8').trimEnd().split('\n').length, 3000)
    t.match(JSON.parse(readFileSync(manifest, 'utf8')), { verdicts: 3000, sealed: 3000 })
  },
)

t.test('an export that is killed between file and manifest leaves a file that nobody calls tampered', async (t) => {
  const folder = t.testdir()
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const [signing, trusted] = [join(folder, 'key.pem'), join(folder, 'public.pem')]
  writeFileSync(signing, privateKey.export({ format: 'pem', type: 'pkcs8' }))
  writeFileSync(trusted, publicKey.export({ format: 'pem', type: 'spki' }))
  const database = join(folder, 'imagegate.db')
  const output = join(folder, 'record.ndjson')
  const recordTen = async () => {
    const store = await openSqliteStore({ file: database })
    await Promise.all(Array.from({ length: 10 }, () => store.record(makeRecord())))
    await store.close()
  }
  const run = (...args: string[]) => spawn(process.execPath, [main, 'audit', ...args], { stdio: 'ignore' })
  const exporting = () => run('export', '--database', `file:${database}`, '--output', output, '--signing-key', signing)
  const exits = async (child: ChildProcess) => (await once(child, 'exit'))[0]
  const verdict = () => exits(run('verify', output, '--public-key', trusted))
  const lines = () => readFileSync(output, 'utf8').trimEnd().split('\n').length

  await recordTen()
  t.equal(await exits(exporting()), 0)
  t.equal(await verdict(), 0)
  await recordTen()
  const killed = exporting()
  const ended = once(killed, 'exit')
  // Nobody reads this pipe: whoever opens it to write the manifest stands still until it is killed.
  execFileSync('mkfifo', [`${output}.manifest.json.${killed.pid}.new`])
  for (const deadline = Date.now() + 60_000; lines() === 10 && Date.now() < deadline; ) await sleep(2)
  t.equal(lines(), 20, 'the file was replaced')
  killed.kill('SIGKILL')
  t.same(await ended, [null, 'SIGKILL'])
  t.equal(await verdict(), 2, 'nothing is said of a file without a manifest')
  t.equal(await exits(exporting()), 0)
  t.equal(await verdict(), 0)
})
