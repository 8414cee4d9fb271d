import { readFileSync } from 'node:fs'
import t from 'tap'
import { start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import { example, imagegate, ownDatabase } from './support.ts'

const folder = t.testdir()
const { database, environment } = await ownDatabase(folder)
const running = await start(readConfig(environment))
t.teardown(() => running.close())

async function evaluated(name: string) {
  const headers = { 'content-type': 'application/json' }
  const body = readFileSync(example(name), 'utf8')
  const answer = await fetch(`${running.url}/v1/evaluations`, { method: 'POST', headers, body })
  return JSON.parse(await answer.text())
}

const { recordedAt } = await evaluated('linux/ready.json')
const { findings } = await evaluated('linux/several-faults.json')
const failed = findings.filter(({ result }: { result: string }) => result === 'fail')
const [{ rule }] = failed
const day = recordedAt.slice(0, 10)

for (const [name, source] of [
  ['a database', ['--database', `file:${database}`]],
  ['a server', ['--server', running.url]],
] as const) {
  t.test(`the statistics of ${name} tell days, rules and facts`, async (t) => {
    const statistics = (...args: string[]) => imagegate(['verdicts', 'statistics', ...args, ...source], { environment })
    const asked = await statistics()
    t.equal(asked.code, 0, asked.stderr)
    const all = JSON.parse(asked.stdout)
    t.match(all, { verdicts: 2, days: [{ day, results: { ready: 1, not_ready: 1 } }] })
    const names = failed.map((finding: { rule: string }) => finding.rule).toSorted()
    t.same(
      all.rules,
      names.slice(0, 10).map((rule: string) => ({ rule, verdicts: 1 })),
    )
    t.type(all.facts, Array)
    const one = JSON.parse((await statistics('--rule', rule)).stdout)
    t.same(one.days, [{ day, results: { fail: 1, pass: 1 } }])
    t.notOk('rules' in one)
    t.same(JSON.parse((await statistics('--missing-fact', '/none')).stdout).days, [])
    t.equal(JSON.parse((await statistics('--limit', '1')).stdout).rules.length, 1)
    t.same(JSON.parse((await statistics('--family', 'windows-server')).stdout).days, [])

    const people = await statistics('--format', 'human')
    t.match(people.stdout, new RegExp(`^${day} +1 +0 +0 +1$`, 'm'))
    t.match(people.stdout, new RegExp(`^1 +50\\.0% +${names[0]}$`, 'm'))
    t.match((await statistics('--rule', rule, '--format', 'human')).stdout, new RegExp(`^${day} +1 +1 +0 +0$`, 'm'))
    t.match((await statistics('--to', '2020-12-31', '--format', 'human')).stdout, 'No sealed verdict of these days')

    const longer = await statistics('--from', '2020-01-01')
    t.equal(longer.code, 3)
    t.match(longer.stderr, /ask for 1 to 366/)
    t.equal((await statistics('--rule', 'a.b', '--missing-fact', '/a')).code, 3)
  })
}
