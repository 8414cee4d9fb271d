import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sha256 } from '../../server/digest.ts'
import { loadPolicies } from '../../server/policy/load.ts'
import { imagegate, releasedPolicies, top } from './support.ts'

const folder = t.testdir()
// Cases are changes of the examples beside the policies.
cpSync(join(top, 'examples'), join(folder, 'examples'), { recursive: true })

async function workplace(name: string) {
  const path = await releasedPolicies(join(folder, name))
  const read = (file: string) => readFileSync(join(path, file), 'utf8')
  const edit = (file: string, from: string, to: string) => {
    const text = read(file)
    if (!text.includes(from)) throw new Error(`${from} does not stand in ${file}`)
    writeFileSync(join(path, file), text.replace(from, to))
  }
  const policy = (...args: string[]) => imagegate(['policy', ...args, '--policies', path])
  return { path, read, edit, policy }
}

t.test('new begins a version from the last: text and comments kept, later, with cases that pass', async (t) => {
  const { path, read, policy } = await workplace('new')
  const ran = await policy('new', 'unidentified', '--major')
  t.equal(ran.code, 0)
  t.equal(ran.stderr, '')
  t.match(ran.stdout, 'unidentified 2.0.0 begins as 1.0.0, in force from 2026-11-21T00:00:00Z.')
  const [old, young] = [read('unidentified/1.0.0.yaml'), read('unidentified/2.0.0.yaml')]
  t.equal(
    young,
    old.replace('"1.0.0"', '"2.0.0"').replace('2020-12-30T00:00:00Z', '2026-11-21T00:00:00Z'),
    'and nothing else differs',
  )
  t.same(readdirSync(join(path, 'unidentified', 'tests')).sort(), [
    'equivalent-mutants.yaml',
    'every-condition.2.0.0.yaml',
    'every-condition.yaml',
    'unidentified.2.0.0.yaml',
    'unidentified.yaml',
  ])
  t.equal(
    read('unidentified/tests/unidentified.2.0.0.yaml'),
    read('unidentified/tests/unidentified.yaml').replace('"1.0.0"', '"2.0.0"'),
  )
  const tested = JSON.parse((await policy('test', 'unidentified/2.0.0')).stdout)
  t.ok(tested.policies[0].cases > 0)
  t.same(tested.policies[0].failed, [])
  t.equal((await policy('mutate', 'unidentified')).code, 0, 'what makes no difference is listed for both')
})

t.test('new counts up by what is asked, and from a version that was made by it', async (t) => {
  const { path, policy } = await workplace('counting')
  t.match(
    (await policy('new', 'unidentified', '--effective-from', '2027-01-01')).stdout,
    'unidentified 1.1.0 begins as 1.0.0',
  )
  const twice = await policy('new', 'unidentified')
  t.equal(twice.code, 3)
  t.match(twice.stderr, /OPTION_INVALID[\s\S]*unidentified\/1\.1\.0\.yaml is not released yet/)
  t.equal((await policy('release', 'unidentified', '1.1.0')).code, 0)
  const third = await policy('new', 'unidentified', '--patch')
  t.match(third.stdout, 'unidentified 1.1.1 begins as 1.1.0, in force from 2027-01-02T00:00:00Z.')
  const cases = readdirSync(join(path, 'unidentified', 'tests')).filter((name) => name.startsWith('unidentified'))
  t.same(cases.sort(), ['unidentified.1.1.0.yaml', 'unidentified.1.1.1.yaml', 'unidentified.yaml'])
})

t.test('new refuses what cannot be, and then writes nothing', async (t) => {
  const { path, policy } = await workplace('refused')
  const earlier = await policy('new', 'linux', '--effective-from', '2019-01-01')
  t.equal(earlier.code, 3)
  t.match(earlier.stderr, 'linux 1.0.0 is in force from 2020-12-30T00:00:00Z')
  t.match((await policy('new', 'linux', '--effective-from', 'tomorrow')).stderr, '--effective-from is a date')
  t.match((await policy('new', 'linux', '--major', '--patch')).stderr, 'Give one of --major, --minor and --patch.')
  t.match((await policy('new', 'solaris')).stderr, /POLICY_NOT_FOUND[\s\S]*linux/)
  writeFileSync(join(path, 'linux', 'tests', 'disk.1.1.0.yaml'), 'mine')
  const inTheWay = await policy('new', 'linux')
  t.equal(inTheWay.code, 3)
  t.match(inTheWay.stderr, 'disk.1.1.0.yaml')
  t.notOk(readdirSync(join(path, 'linux')).includes('1.1.0.yaml'))
})

t.test('release refuses a version that is raised too little, and writes nothing', async (t) => {
  const { read, edit, policy } = await workplace('small')
  await policy('new', 'windows-server')
  edit('windows-server/1.1.0.yaml', 'value: 536870912000', 'value: 107374182400')
  const before = [read('policies.lock.json'), read('CHANGELOG.md')]
  const ran = await policy('release', 'windows-server', '1.1.0')
  t.equal(ran.code, 1)
  t.match(ran.stderr, /POLICY_VERSION_TOO_SMALL[\s\S]*from 1\.0\.0 to 1\.1\.0; a major change needs at least 2\.0\.0/)
  t.same([read('policies.lock.json'), read('CHANGELOG.md')], before)
})

t.test('release writes lock and changelog, newest first, and what stands there stays', async (t) => {
  const { path, read, edit, policy } = await workplace('release')
  await policy('new', 'windows-server', '--major')
  edit('windows-server/2.0.0.yaml', 'value: 536870912000', 'value: 107374182400')
  const before = read('CHANGELOG.md')
  const ran = await policy('release', 'windows-server', '2.0.0')
  t.equal(ran.code, 0)
  t.match(
    ran.stdout,
    `windows-server 2.0.0 is released, a major change from 1.0.0: ${sha256(read('windows-server/2.0.0.yaml'))}`,
  )
  const changelog = read('CHANGELOG.md')
  t.match(
    changelog,
    '## windows-server 2.0.0 – 2026-11-20\n\nIn force from 2026-11-21T00:00:00Z.\nA major change from 1.0.0: 1 stricter.',
  )
  t.match(
    changelog,
    '- `windows-server.system-disk.size`: stricter, some documents fare worse, none better (parameters/maxSystemDiskBytes)',
  )
  t.match(changelog, '- Parameter `maxSystemDiskBytes`: 536870912000 → 107374182400')
  const [start] = changelog.split('## windows-server 2.0.0')
  t.equal(changelog.replace(/## windows-server 2\.0\.0[\s\S]*?(?=\n## )\n/, ''), before, 'the rest is as it was')
  t.notMatch(start, /^## /m, 'it is the first entry')
  await t.resolves(loadPolicies(path, { released: false }))
  edit('CHANGELOG.md', 'A major change from 1.0.0', 'We changed our mind')
  t.match((await policy('release', 'windows-server', '2.0.0')).stdout, 'was released before')
  t.match(read('CHANGELOG.md'), 'We changed our mind')
  await policy('new', 'windows-server', '--patch')
  edit(
    'CHANGELOG.md',
    '## windows-server 2.0.0',
    '## windows-server 2.0.1\n\nWords of its author.\n\n## windows-server 2.0.0',
  )
  edit('windows-server/2.0.1.yaml', 'title: ', 'title: About ')
  t.match((await policy('release', 'windows-server', '2.0.1')).stdout, 'a patch change from 2.0.0')
  t.equal(read('CHANGELOG.md').split('## windows-server 2.0.1').length, 2, 'an entry of its author is the entry')
})

t.test('release compares with what was released, and not with something else', async (t) => {
  const { edit, policy } = await workplace('forged')
  await policy('new', 'unidentified')
  edit('unidentified/1.0.0.yaml', 'title: ', 'title: Forged ')
  const ran = await policy('release', 'unidentified', '1.1.0')
  t.equal(ran.code, 1)
  t.match(ran.stderr, /POLICY_CHANGED[\s\S]*unidentified\/1\.0\.0\.yaml: It was released as sha256:/)
})
