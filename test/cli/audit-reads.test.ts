import { readFileSync } from 'node:fs'
import t from 'tap'
import { start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import { example, imagegate, ownDatabase } from './support.ts'

const folder = t.testdir()
const { database, environment } = await ownDatabase(folder)
const running = await start(readConfig(environment))
t.teardown(() => running.close())

const headers = { 'content-type': 'application/json' }
const body = readFileSync(example('linux/ready.json'), 'utf8')
const answer = await fetch(`${running.url}/v1/evaluations`, { method: 'POST', headers, body })
const { id } = JSON.parse(await answer.text())
for (const path of [`verdicts/${id}`, `verdicts/${id}/facts`, 'verdicts?text=web%1b[2J', 'verdicts?limit=0']) {
  await (await fetch(`${running.url}/v1/${path}`)).arrayBuffer()
}
const three = [
  { operation: 'listVerdicts', verdict: null, request: { path: {}, query: { text: 'web\u001b[2J' } }, answered: 0 },
  { operation: 'getFacts', verdict: id, request: { path: { id }, query: {} }, answered: 1 },
  { operation: 'getVerdict', verdict: id, caller: 'anonymous', roles: ['admin', 'operator'], status: 200, answered: 1 },
]

const reads = (...args: string[]) => imagegate(['audit', 'reads', ...args], { environment })
const parsed = ({ stdout }: { stdout: string }) =>
  stdout
    .trimEnd()
    .split('\n')
    .filter(Boolean)
    .map((one) => JSON.parse(one))

t.test('who has read is told of a database without leaving a trace, and of a server with one', async (t) => {
  const file = ['--database', `file:${database}`]
  for (let twice = 0; twice < 2; twice += 1) {
    const all = await reads(...file)
    t.equal(all.code, 0, all.stderr)
    t.equal(parsed(all).length, 3)
    t.match(parsed(all), three)
  }
  const server = ['--server', running.url]
  t.match(parsed(await reads(...server, '--verdict', id)), three.slice(1))
  t.match(parsed(await reads(...server)), [{ operation: 'listReads', answered: 2 }, ...three])
  t.equal(parsed(await reads(...file)).length, 5)
})

for (const [name, source] of [
  ['a database', ['--database', `file:${database}`]],
  ['a server', ['--server', running.url]],
] as const) {
  t.test(`the reads of ${name} are filtered, limited and shown`, async (t) => {
    const found = async (...args: string[]) => parsed(await reads(...source, ...args)).map(({ operation }) => operation)
    t.same(await found('--operation', 'getFacts'), ['getFacts'])
    t.same(await found('--caller', 'key:nobody'), [])
    t.same(await found('--verdict', id, '--from', '2026-01-01'), ['getFacts', 'getVerdict'])
    t.same(await found('--to', '2026-01-01'), [])
    const limited = await reads(...source, '--verdict', id, '--limit', '1')
    t.match(parsed(limited), [{ operation: 'getFacts' }])
    t.match(limited.stderr, 'More reads match; --all lists them.')
    t.same(await found('--verdict', id, '--all'), ['getFacts', 'getVerdict'])
    const { stdout } = await reads(...source, '--format', 'human', '--operation', 'listVerdicts')
    t.match(stdout, /^AT +STATUS +ANSWERED +CALLER +OPERATION +ASKED FOR$/m)
    t.match(stdout, /^\S+Z +200 +0 +anonymous +listVerdicts +\{"text":"web.*\[2J"\}$/m)
    t.notOk(stdout.includes('\u001b'), 'what a caller sent moves no cursor')
    t.equal((await reads(...source, '--from', 'yesterday')).code, 3)
    t.equal((await reads(...source, '--limit', '0')).code, 3)
  })
}

t.test('a list of more reads than a page holds is told to its end', async (t) => {
  for (let at = 0; at < 520; at += 1) await (await fetch(`${running.url}/v1/verdicts/none`)).arrayBuffer()
  for (const source of [
    ['--database', `file:${database}`],
    ['--server', running.url],
  ]) {
    const all = parsed(await reads(...source, '--operation', 'getVerdict', '--all')).map(({ id: one }) => one)
    t.equal(all.length, 521)
    t.same(all, all.toSorted().reverse())
    t.equal(parsed(await reads(...source, '--limit', '510')).length, 510)
  }
  const both = await reads('--server', running.url, '--tenant', 'other')
  t.equal(both.code, 3)
  t.match(both.stderr, 'a server answers for its own tenant')
})
