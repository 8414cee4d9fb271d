import { readFileSync } from 'node:fs'
import t from 'tap'
import { start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import { example, imagegate, ownDatabase } from './support.ts'

const folder = t.testdir()
const { database, environment } = await ownDatabase(folder)
const running = await start(readConfig(environment))
t.teardown(() => running.close())
const body = readFileSync(example('linux/ready.json'), 'utf8')

async function evaluated(query: string): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${running.url}/v1/evaluations${query}`, { method: 'POST', headers, body })
  return JSON.parse(await answer.text()).id
}

const first = await evaluated('')
const second = await evaluated('?importAs=others-linux')
const image = ['--image-name', String(JSON.parse(body).image.name)]

for (const [name, source] of [
  ['a database', ['--database', `file:${database}`]],
  ['a server', ['--server', running.url]],
] as const) {
  t.test(`the timeline of an image in ${name} says what changed`, async (t) => {
    const timeline = (...args: string[]) => imagegate(['verdicts', 'timeline', ...args, ...source], { environment })
    const asked = await timeline(...image)
    t.equal(asked.code, 0, asked.stderr)
    const [newest, oldest, ...rest] = asked.stdout.trimEnd().split('\n')
    t.match(JSON.parse(newest ?? ''), { verdict: { id: second }, change: { since: first, causes: ['options'] } })
    t.same(JSON.parse(oldest ?? '').verdict.id, first)
    t.same(JSON.parse(oldest ?? '').change, undefined, 'the oldest has nothing before it')
    t.same(rest, [])
    const people = await timeline(...image, '--format', 'human')
    t.match(people.stdout, new RegExp(`^${second}`, 'm'))
    t.match(people.stdout, /^ {4}changed: options$/m)
    t.same((await timeline('--image-name', 'none')).stdout, '')
    const unnamed = await timeline()
    t.equal(unnamed.code, 3)
    t.match(unnamed.stderr, 'Name the image')
  })
}
