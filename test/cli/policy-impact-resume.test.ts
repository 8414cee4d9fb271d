import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import t from 'tap'
import { start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import { documents, recordAll, stricterText } from '../authoring/recorded.ts'
import { count, random, seed } from '../support/long.ts'
import { imagegate, top } from './support.ts'

t.comment(`seed ${seed}`)
const folder = t.testdir()
const total = 600
const database = join(folder, 'audit.db')
const known = await recordAll(database, documents(total, seed))
const candidate = join(folder, 'stricter.yaml')
writeFileSync(candidate, stricterText)
const lines = known.map(({ verdict, facts }) => `${JSON.stringify({ verdict, facts: facts.document })}\n`)

/** The built program, as users run it (npm test builds it first). */
function program(...args: readonly string[]): ChildProcess {
  const all = ['dist/main.js', 'policy', 'impact', candidate, '--format', 'json', '--workers', '1', ...args]
  return spawn(process.execPath, all, { cwd: top, env: { PATH: process.env['PATH'] } })
}

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function ended(child: ChildProcess): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk) => {
    said.stdout += String(chunk)
  })
  child.stderr?.on('data', (chunk) => {
    said.stderr += String(chunk)
  })
  const [code] = await once(child, 'close')
  return { code, ...said }
}

/** How many records a state has counted; 0 when there is none. */
function countedIn(state: string): number {
  return existsSync(state) ? JSON.parse(readFileSync(state, 'utf8')).report.counts.found : 0
}

/** Kills a run once it has counted something; gives what its state then says, 0 when the run was faster. */
async function killedHalfWay(child: ChildProcess, state: string): Promise<number> {
  const gone = ended(child)
  while (child.exitCode === null && countedIn(state) === 0) await sleep(1)
  child.kill('SIGKILL')
  await gone
  return countedIn(state)
}

const begun = performance.now()
const whole = await ended(program('--database', database))
const duration = performance.now() - begun
t.equal(whole.code, 1, whole.stderr)

t.test(
  'a killed run on a database goes on and ends with the same report, whatever was recorded or removed since',
  async (t) => {
    const copy = join(folder, 'copy.db')
    const state = join(folder, 'database.state')
    await new Database(database, { readonly: true }).backup(copy)
    const args = ['--database', copy, '--resume', state, '--workers', '2']
    let done = 0
    for (let tries = 0; (done === 0 || done === total) && tries < 20; tries += 1)
      done = await killedHalfWay(program(...args), state)
    t.ok(done > 0 && done < total, `killed with ${done} of ${total} counted`)

    for (const more of [
      ['--from', '2020-01-01'],
      ['--sample', '10%'],
      ['--tenant', 'a'],
      ['--resume', candidate],
    ]) {
      const other = await imagegate(['policy', 'impact', candidate, ...args, ...more])
      t.equal(other.code, 3)
      t.match(
        other.stderr,
        /is the state of a run with another candidate, source or selection|is not the state of a run/,
      )
    }
    t.equal(countedIn(state), done, 'other runs leave it as it is')

    const newestFirst = known.toReversed().map(({ verdict }) => verdict.documentDigest)
    const left = new Set(newestFirst.slice(done))
    const db = new Database(copy)
    const remove = db.prepare(
      "UPDATE fact_documents SET body = NULL, removed_at = 't', removal_reason = 'r' WHERE digest = ?",
    )
    const removable = new Set(newestFirst.slice(0, done).filter((digest) => !left.has(digest)))
    for (const digest of removable) remove.run(digest)
    db.close()
    t.ok(removable.size > 50, 'facts that were counted are removed')
    await recordAll(copy, documents(30, seed + 1))

    const resumed = await ended(program(...args))
    t.equal(resumed.stderr, '')
    t.equal(resumed.stdout, whole.stdout)
    t.equal(resumed.code, 1)
    t.notOk(existsSync(state) || existsSync(`${state}.changed`), 'nothing is left behind')
  },
)

t.test('killed at any moment, it ends with the same report', async (t) => {
  const next = random(seed)
  const kills = count(100, 1)
  const state = join(folder, 'any.state')
  const args = ['--database', database, '--resume', state]
  let counted = 0
  for (let kill = 0; kill < kills; kill += 1) {
    const child = program(...args)
    const gone = ended(child)
    await sleep((0.5 + next() / 2) * duration)
    child.kill('SIGKILL')
    const { code, stdout } = await gone
    if (code !== null) t.equal(stdout, whole.stdout, 'it had finished')
    const now = countedIn(state)
    t.ok(now >= counted || code !== null, `after kill ${kill + 1} the state has ${now}`)
    counted = code === null ? now : 0
  }
  t.equal((await ended(program(...args))).stdout, whole.stdout)
})

t.test('a killed run on a server goes on with the next page', async (t) => {
  const running = await start(
    readConfig({ IMAGEGATE_DATABASE_URL: database, IMAGEGATE_PORT: '0', IMAGEGATE_LOG_LEVEL: 'silent' }),
  )
  t.teardown(() => running.close())
  let pages = 0
  let stalled = true
  const first: string[] = []
  const proxy = createServer((asked, answer) => {
    const path = asked.url ?? ''
    if (path.startsWith('/v1/verdicts?')) {
      pages += 1
      if (stalled && pages > 3) return
      first.push(path)
    }
    request(`${running.url}${path}`, (given) =>
      given.pipe(answer.writeHead(given.statusCode ?? 500, given.headers)),
    ).end()
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => proxy.close())
  t.teardown(() => proxy.closeAllConnections())
  const address = proxy.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const state = join(folder, 'server.state')
  const args = ['--server', url, '--resume', state]
  const done = await killedHalfWay(program(...args), state)
  t.ok(done > 0 && done <= 300, `killed with ${done} of ${total} counted`)
  stalled = false
  first.length = 0
  const resumed = await ended(program(...args))
  t.equal(resumed.code, 1, resumed.stderr)
  t.equal(first.length, (total - done) / 100, 'pages that were counted are not asked for again')
  t.same({ ...JSON.parse(resumed.stdout), source: 'database' }, JSON.parse(whole.stdout))
})

t.test('a killed run on standard input goes on after the lines that it had counted', async (t) => {
  const once = program('--export', '-')
  once.stdin?.end(lines.join(''))
  const uninterrupted = await ended(once)
  t.equal(uninterrupted.code, 1, uninterrupted.stderr)
  const state = join(folder, 'stdin.state')
  const child = program('--export', '-', '--resume', state)
  child.stdin?.on('error', () => undefined)
  child.stdin?.write(lines.slice(0, 350).join(''))
  const done = await killedHalfWay(child, state)
  t.ok(done > 0 && done <= 350, `killed with ${done} of ${total} counted`)
  const again = program('--export', '-', '--resume', state)
  // What was counted is not looked at again, so it may as well be something else.
  again.stdin?.end(lines.map((line, index) => (index < done ? 'counted\n' : line)).join(''))
  t.equal((await ended(again)).stdout, uninterrupted.stdout)
})
