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

const sources = [
  ['a database', ['--database', `file:${database}`]],
  ['a server', ['--server', running.url]],
] as const

for (const [name, source] of sources) {
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

t.test('more entries than a page of the server has are the same from a server and from a database', async (t) => {
  for (let index = 0; index < 53; index += 1) await evaluated(index % 2 === 0 ? '' : '?importAs=others-linux')
  const limited = async (limit: number) => {
    const [whole, paged] = await Promise.all(
      sources.map(([, source]) =>
        imagegate(['verdicts', 'timeline', ...image, '--limit', String(limit), ...source], { environment }),
      ),
    )
    t.equal(paged?.stdout, whole?.stdout)
    return paged?.stdout.trimEnd().split('\n').length
  }
  t.same([await limited(50), await limited(52), await limited(100)], [50, 52, 55])
})
