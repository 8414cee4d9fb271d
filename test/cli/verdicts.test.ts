import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t from 'tap'
import { start } from '../../server/compose.ts'
import { readConfig } from '../../server/config.ts'
import { sha256 } from '../../server/digest.ts'
import { changed, example, imagegate, ownDatabase } from './support.ts'

const folder = t.testdir()
const { database, environment } = await ownDatabase(folder)
const running = await start(readConfig(environment))
t.teardown(() => running.close())

const hostileName = 'a\u001b[2J$(reboot)\u202e<b>.qcow2'
const documents = [
  readFileSync(example('linux/ready.json'), 'utf8'),
  readFileSync(example('linux/several-faults.json'), 'utf8'),
  readFileSync(example('windows-server/ready.json'), 'utf8'),
  readFileSync(example('unidentified/unreadable-system.json'), 'utf8'),
  changed('linux/ready.json', (document) => {
    document['image'] = { ...document['image'], name: hostileName }
  }),
]
const bodies: string[] = []
for (const body of documents) {
  const answer = await fetch(`${running.url}/v1/evaluations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  bodies.push(await answer.text())
}
const ids = bodies.map((body) => String(JSON.parse(body).id))
const [ready = '', faults = '', , , hostile = ''] = ids

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not appear
const acting = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/

const sources = [
  ['a database', ['--database', `file:${database}`]],
  ['the configured database', []],
  ['a server', ['--server', running.url]],
] as const

const listed = (stdout: string) =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => String(JSON.parse(line).id))

for (const [name, source] of sources) {
  const verdicts = (...args: string[]) => imagegate(['verdicts', ...args, ...source], { environment })

  t.test(`verdicts of ${name} are listed newest first, by filters and in pages`, async (t) => {
    const all = await verdicts('list')
    t.equal(all.code, 0)
    t.same(listed(all.stdout), ids.toReversed())
    t.notMatch(all.stdout, acting)
    t.same(listed((await verdicts('list', '--outcome', 'not_ready')).stdout), [faults])
    t.same(listed((await verdicts('list', '--family', 'windows-server', '--os-type', 'windows')).stdout), [ids[2]])
    t.same(listed((await verdicts('list', '--image-name', hostileName)).stdout), [hostile])
    t.same(listed((await verdicts('list', '--failed-rule', 'linux.ext4.64bit')).stdout), [faults])
    t.same(listed((await verdicts('list', '--missing-fact', '/os/type')).stdout), [ids[3]])
    t.same(listed((await verdicts('list', '--from', '2099-01-01')).stdout), [])
    t.same(listed((await verdicts('list', '--to', '2099-01-01T00:00:00Z')).stdout), ids.toReversed())
    const two = await verdicts('list', '--limit', '2')
    t.same(listed(two.stdout), ids.toReversed().slice(0, 2))
    t.match(two.stderr, 'More verdicts may match; --all lists them.')
    t.same(listed((await verdicts('list', '--all')).stdout), ids.toReversed())
    t.equal((await verdicts('list', '--limit', '5')).stderr, '')
  })

  t.test(`verdicts of ${name} are a table for people`, async (t) => {
    const { stdout } = await verdicts('list', '--format', 'human')
    t.match(stdout, /^VERDICT +RECORDED +OUTCOME +POLICY +IMAGE, SYSTEM\n/)
    t.match(stdout, new RegExp(`^${faults}  \\S+Z  NOT READY +linux 1\\.0\\.0 +"debian-12-pipeline`, 'm'))
    t.match(stdout, '"a\\u{1b}[2J$(reboot)\\u{202e}\\u{3c}b\\u{3e}.qcow2"')
    t.notMatch(stdout, acting)
  })

  t.test(`a verdict of ${name} is shown exactly as stored, or as a report`, async (t) => {
    const exact = await verdicts('show', faults)
    t.equal(exact.code, 0)
    t.equal(exact.stdout, bodies[1])
    const [row] = (await verdicts('list', '--outcome', 'not_ready')).stdout.split('\n')
    t.equal(JSON.parse(row ?? '').recordDigest, sha256(exact.stdout))
    const human = await verdicts('show', hostile, '--format', 'human')
    t.match(human.stdout, /^READY\n/)
    t.match(human.stdout, new RegExp(`Verdict +${hostile}`))
    t.notMatch(human.stdout, acting)
    t.equal((await verdicts('show', ids[3] ?? '')).code, 0, 'whatever the outcome')
    const terminal = await imagegate(['verdicts', 'show', hostile, ...source, '--format', 'json'], {
      environment,
      columns: 80,
    })
    t.same(JSON.parse(terminal.stdout), JSON.parse(bodies[4] ?? ''))
    t.notMatch(terminal.stdout, acting)
  })

  t.test(`a verdict of ${name} replays the same`, async (t) => {
    for (const id of [ready, faults]) {
      const ran = await verdicts('replay', id)
      t.equal(ran.code, 0)
      t.match(JSON.parse(ran.stdout), { id, result: 'same' })
    }
    t.match((await verdicts('replay', ready, '--format', 'human')).stdout, /^SAME\n/)
  })

  t.test(`what ${name} cannot answer exits with 3 and says why`, async (t) => {
    for (const command of ['show', 'replay']) {
      const ran = await verdicts(command, '01890000-0000-7000-8000-000000000000')
      t.equal(ran.code, 3)
      t.match(ran.stderr, 'VERDICT_NOT_FOUND: There is no such verdict')
    }
    const time = await verdicts('list', '--from', 'yesterday')
    t.equal(time.code, 3)
    t.match(time.stderr, 'OPTION_INVALID')
  })
}

t.test('a record that was changed replays as different and exits with 1', async (t) => {
  const copy = join(t.testdir(), 'copy.db')
  await new Database(database, { readonly: true }).backup(copy)
  const db = new Database(copy)
  for (const { name } of db
    .prepare<[], { name: string }>("select name from sqlite_schema where type='trigger'")
    .all()) {
    db.exec(`drop trigger "${name}"`)
  }
  const body = JSON.stringify({ ...JSON.parse(bodies[1] ?? ''), outcome: 'ready' })
  db.prepare('update verdicts set body = ?, record_digest = ? where id = ?').run(body, sha256(body), faults)
  db.close()
  const ran = await imagegate(['verdicts', 'replay', faults, '--database', copy, '--format', 'human'])
  t.equal(ran.code, 1)
  t.match(ran.stdout, /^DIFFERENT\n[\s\S]*First difference: \/outcome\n/)
})

t.test('reading makes no database', async (t) => {
  const ran = await imagegate(['verdicts', 'list', '--database', join(folder, 'none.db')])
  t.equal(ran.code, 3)
  t.match(ran.stderr, /FILE_UNREADABLE[\s\S]*There is no database at/)
})

t.test('wrong sources are usage errors', async (t) => {
  for (const args of [
    ['--database', 'mysql://u:p@h/d'],
    ['--server', 'ftp://h'],
    ['--server', 'nonsense'],
    ['--server', running.url, '--database', database],
    ['--limit', '0'],
    ['--limit', '3', '--all'],
  ]) {
    const ran = await imagegate(['verdicts', 'list', ...args], { environment })
    t.equal(ran.code, 3, args.join(' '))
    t.match(ran.stderr, /See --help/)
    t.notMatch(ran.stderr, 'u:p@')
  }
})

t.test('a server that is no imagegate is told as such', async (t) => {
  const answers: Readonly<Record<string, readonly [number, string]>> = {
    '/html/v1/verdicts': [200, '<html>'],
    '/json/v1/verdicts': [200, '{"verdicts":[{}]}'],
    '/down/v1/verdicts': [502, 'Bad Gateway'],
    '/refusing/v1/verdicts': [
      503,
      '{"code":"OVERLOADED","detail":"Too \\u001b[2J much.","problems":[{"message":"m"}]}',
    ],
  }
  const server = createServer((request, response) => {
    const [status, text] = answers[new URL(request.url ?? '', 'http://h').pathname] ?? [404, '']
    response.writeHead(status).end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const list = (path: string) => imagegate(['verdicts', 'list', '--server', `http://127.0.0.1:${port}/${path}`])
  for (const path of ['html', 'json', 'down', 'none']) {
    const ran = await list(path)
    t.equal(ran.code, 3)
    t.match(ran.stderr, 'SERVER_UNREACHABLE')
  }
  const refused = await list('refusing')
  t.equal(refused.code, 3)
  t.match(refused.stderr, 'OVERLOADED: The service is overloaded\n  Too \\u{1b}[2J much.\n  m\n')
  t.match((await imagegate(['verdicts', 'list', '--server', 'http://127.0.0.1:9'])).stderr, 'cannot be asked')
})
