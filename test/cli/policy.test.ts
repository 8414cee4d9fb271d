import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { sha256 } from '../../server/digest.ts'
import { loadPolicies } from '../../server/policy/load.ts'
import { imagegate, releasedPolicies, top } from './support.ts'

const folder = t.testdir()
const policies = await releasedPolicies(join(folder, 'policies'))
const environment = { IMAGEGATE_POLICIES: policies }
const shipped = readFileSync(join(policies, 'linux', '1.0.0.yaml'), 'utf8')

/** A folder with the Linux policy, nothing released. */
function drafts(name: string): string {
  const path = join(folder, name)
  mkdirSync(join(path, 'linux'), { recursive: true })
  writeFileSync(join(path, 'linux', '1.0.0.yaml'), shipped)
  writeFileSync(join(path, 'policies.lock.json'), '{"schema":"imagegate.policy-lock/1","policies":[]}\n')
  return path
}

const lockOf = (path: string) => JSON.parse(readFileSync(join(path, 'policies.lock.json'), 'utf8'))

t.test('list tells every version with its digest and its state', async (t) => {
  const ran = await imagegate(['policy', 'list'], { environment })
  t.equal(ran.code, 0)
  const rows = ran.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const linux = { family: 'linux', version: '1.0.0', digest: sha256(shipped), state: 'in force', lock: 'released' }
  t.match(
    rows.find(({ family }) => family === 'linux'),
    linux,
  )
  const human = await imagegate(['policy', 'list'], { environment, columns: 120, noColour: true })
  t.match(human.stdout, /^FAMILY +VERSION +IN FORCE FROM/)
  t.match(human.stdout, new RegExp(`^linux +1\\.0\\.0 +\\S+ +in force +released +${sha256(shipped)}$`, 'm'))
})

t.test('list tells what is superseded, withdrawn, not yet in force, changed and not released', async (t) => {
  const path = drafts('states')
  const version = (number: string, from: string) => {
    const text = shipped
      .replace('version: "1.0.0"', `version: "${number}"`)
      .replace(/effectiveFrom: .*/, `effectiveFrom: ${from}`)
    writeFileSync(join(path, 'linux', `${number}.yaml`), text)
    return { family: 'linux', version: number, digest: sha256(text), effectiveFrom: from }
  }
  const withdrawn = { at: '2022-01-01T00:00:00Z', reason: 'It let \u001b[2J ISO images pass.' }
  const released = [
    { family: 'linux', version: '1.0.0', digest: sha256('another text'), effectiveFrom: '2020-12-30T00:00:00Z' },
    { ...version('1.1.0', '2021-01-01T00:00:00Z'), withdrawn },
    version('1.2.0', '2022-01-01T00:00:00Z'),
  ]
  version('1.3.0', '2099-01-01T00:00:00Z')
  writeFileSync(
    join(path, 'policies.lock.json'),
    JSON.stringify({ schema: 'imagegate.policy-lock/1', policies: released }),
  )
  const { stdout } = await imagegate(['policy', 'list', '--policies', path])
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.same(
    rows.map((row) => [row.version, row.state, row.lock]),
    [
      ['1.0.0', 'superseded', 'changed'],
      ['1.1.0', 'withdrawn', 'released'],
      ['1.2.0', 'in force', 'released'],
      ['1.3.0', 'not yet', 'not released'],
    ],
  )
  const human = await imagegate(['policy', 'list', '--policies', path, '--format', 'human'])
  t.match(human.stdout, 'It let \\u{1b}[2J ISO images pass.')
})

t.test('show gives the rules as a table, each in full, as the file, or as JSON', async (t) => {
  const show = (args: readonly string[]) => imagegate(['policy', 'show', 'linux', ...args], { environment })
  const human = await show(['--format', 'human'])
  t.equal(human.code, 0)
  t.match(human.stdout, sha256(shipped))
  t.match(human.stdout, /^RULE +REQUIREMENTS +FAIL +UNKNOWN +TITLE$/m)
  t.match(human.stdout, /^linux\.ext4\.64bit +L-21 +block +block /m)
  const verbose = await show(['1.0.0', '--format', 'human', '--verbose'])
  t.match(verbose.stdout, /To collect: /)
  t.match(verbose.stdout, /Source: Instructions for importing images, 2020-12-30/)
  t.equal((await show(['1.0.0', '--format', 'yaml'])).stdout, shipped)
  t.same(JSON.parse((await show([])).stdout), parse(shipped))
})

t.test('what does not exist is told with what does', async (t) => {
  for (const args of [['solaris'], ['linux', '9.9.9'], ['../linux', '1.0.0']]) {
    const ran = await imagegate(['policy', 'show', ...args], { environment })
    t.equal(ran.code, 3)
    t.match(ran.stderr, /POLICY_NOT_FOUND[\s\S]*linux 1\.0\.0/)
  }
})

t.test('release writes the digest into the lock, once', async (t) => {
  const path = drafts('release')
  const release = () => imagegate(['policy', 'release', 'linux', '1.0.0', '--policies', path])
  const first = await release()
  t.equal(first.code, 0)
  t.match(first.stdout, `linux 1.0.0 is released, the first of its family: ${sha256(shipped)}`)
  t.same(lockOf(path).policies, [
    { family: 'linux', version: '1.0.0', digest: sha256(shipped), effectiveFrom: '2020-12-30T00:00:00Z' },
  ])
  await t.resolves(loadPolicies(path, { released: true }))
  const before = readFileSync(join(path, 'policies.lock.json'), 'utf8')
  const again = await release()
  t.equal(again.code, 0)
  t.match(again.stdout, 'was released before')
  t.equal(readFileSync(join(path, 'policies.lock.json'), 'utf8'), before)
  t.same(readdirSync(path).sort(), ['CHANGELOG.md', 'linux', 'policies.lock.json'], 'nothing is left behind')
})

t.test('release refuses a version that was released with another digest', async (t) => {
  const path = drafts('changed')
  await imagegate(['policy', 'release', 'linux', '1.0.0', '--policies', path])
  const before = lockOf(path)
  appendFileSync(join(path, 'linux', '1.0.0.yaml'), '# a second thought\n')
  const ran = await imagegate(['policy', 'release', 'linux', '1.0.0', '--policies', path])
  t.equal(ran.code, 1)
  t.match(ran.stderr, `POLICY_CHANGED`)
  t.match(ran.stderr, `linux/1.0.0.yaml: It was released as ${sha256(shipped)}`)
  t.same(lockOf(path), before)
})

t.test('release refuses an invalid policy with file, line and column', async (t) => {
  const path = drafts('invalid')
  cpSync(join(top, 'policies', 'unidentified'), join(path, 'unidentified'), { recursive: true })
  const lines = shipped.split('\n')
  const line = lines.findIndex((one) => one.includes('operator: in,')) + 1
  writeFileSync(join(path, 'linux', '1.0.0.yaml'), shipped.replace('operator: in,', 'operator: inn,'))
  const ran = await imagegate(['policy', 'release', 'linux', '1.0.0', '--policies', path])
  t.equal(ran.code, 1)
  t.match(ran.stderr, /POLICY_INVALID: A policy file is not valid/)
  t.match(ran.stderr, new RegExp(`^ {2}linux/1\\.0\\.0\\.yaml:${line}:\\d+ \\(/rules/`, 'm'))
  t.same(lockOf(path).policies, [])
  t.equal((await imagegate(['policy', 'release', 'linux', '7.0.0', '--policies', drafts('none')])).code, 3)
  t.equal((await imagegate(['policy', 'list', '--policies', join(folder, 'nowhere')])).code, 3)
})
