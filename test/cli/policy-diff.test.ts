import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { matches } from '../../server/schemas.ts'
import { example, imagegate, top } from './support.ts'

const folder = t.testdir()
const environment = { IMAGEGATE_POLICIES: join(top, 'policies') }
const shipped = readFileSync(join(top, 'policies', 'linux', '1.0.0.yaml'), 'utf8')

/** A changed copy of the Linux policy as a file; every text must stand in it. */
function variant(name: string, version: string, replacements: readonly (readonly [string, string])[]): string {
  const all = [['version: "1.0.0"', `version: "${version}"`], ...replacements] as const
  const text = all.reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`${from} does not stand in the policy`)
    return before.replace(from, to)
  }, shipped)
  const path = join(folder, `${name}.yaml`)
  writeFileSync(path, text)
  return path
}

async function diff(after: string, args: readonly string[] = [], before = 'linux/1.0.0') {
  const ran = await imagegate(['policy', 'diff', before, after, ...args], { environment })
  return { ...ran, json: args.includes('--format') || ran.stdout === '' ? undefined : JSON.parse(ran.stdout) }
}

const later: readonly [string, string] = ['effectiveFrom: 2020-12-30T00:00:00Z', 'effectiveFrom: 2027-01-01T00:00:00Z']
const debian: readonly [string, string] = ['[6, 7, 8, 9, 10]', '[6, 7, 8, 9, 10, 11]']
const freeSpace: readonly [string, string] = ['value: 104857600', 'value: 209715200']

t.test('a longer list is looser, minor, and its witness is the example with one member changed', async (t) => {
  const { code, json, stderr } = await diff(variant('looser', '1.1.0', [later, debian]))
  t.equal(code, 1)
  t.equal(stderr, '')
  t.ok(matches('policy-diff', json))
  t.match(json, { required: 'minor', given: 'minor', enough: true, rules: { length: 1 } })
  const [rule] = json.rules
  t.match(rule, { rule: 'linux.distribution', change: 'looser', bump: 'minor', members: ['parameters/debianMajors'] })
  const { looser } = rule
  t.equal(rule.stricter, undefined)
  t.same(looser.changes, [{ pointer: '/os/version', from: '10.7', to: '11' }])
  t.match(looser, { base: 'examples/linux/ready.json', before: { result: 'fail', outcome: 'not_ready' } })
  t.match(looser.after, { result: 'pass', contribution: 'none', outcome: 'ready' })
  const document = JSON.parse(readFileSync(example('linux/ready.json'), 'utf8'))
  document.os.version = '11'
  t.same(looser.document, document, 'the witness is that document and nothing else')
  const evaluated = await imagegate(['evaluate', '-'], { environment, stdin: JSON.stringify(looser.document) })
  t.equal(evaluated.code, 1, 'and is not ready under the version in force')
})

t.test('a tighter bound is stricter, and a minor version is refused with the one that it needs', async (t) => {
  const { code, json, stderr } = await diff(variant('stricter', '1.1.0', [later, debian, freeSpace]))
  t.equal(code, 1)
  t.match(json, { required: 'major', given: 'minor', enough: false })
  t.match(stderr, /POLICY_VERSION_TOO_SMALL[\s\S]*a major change needs at least 2\.0\.0/)
  const rule = json.rules.find((one: { rule: string }) => one.rule === 'linux.volumes.free-space')
  t.equal(rule.change, 'stricter')
  t.same(rule.stricter.changes, [{ pointer: '/volumes/1/freeBytes', from: 7842299904, to: 104857600 }])
  t.match(json.parameters, [
    { name: 'rootFreeBytes', from: 104857600, to: 209715200, rules: ['linux.volumes.free-space'] },
  ])
  t.match((await diff(variant('major', '2.0.0', [later, freeSpace]))).json, { enough: true, given: 'major' })
})

t.test('text alone is a patch and no change of meaning', async (t) => {
  const { code, json } = await diff(variant('text', '1.0.1', [later, ['title: ', 'title: Better ']]))
  t.equal(code, 0)
  t.match(json, { required: 'patch', enough: true })
  t.match(
    json.members.map(({ member }: { member: string }) => member),
    ['effectiveFrom', 'title'],
  )
  const unraised = await diff(variant('unraised', '1.0.0', [['title: ', 'title: Better ']]))
  t.equal(unraised.code, 1)
  t.match(unraised.stderr, /a patch change needs at least 1\.0\.1/)
  const same = await diff('linux/1.0.0')
  t.equal(same.code, 0)
  t.match(same.json, { required: 'none', given: 'none', rules: [], parameters: [], members: [] })
})

t.test('another text of the same conditions is text-only, and rules come and go', async (t) => {
  const policy = parse(shipped)
  const at = (id: string) => policy.rules.findIndex((rule: { id: string }) => rule.id === id)
  const table = policy.rules[at('linux.disk.partition-table')]
  table.conditions = { not: { not: { any: [table.conditions, table.conditions] } } }
  const agent = policy.rules[at('linux.qemu-ga.absent')]
  const advice = {
    ...structuredClone(agent),
    id: 'linux.qemu-ga.advice',
    effect: { fail: 'inform', unknown: 'inform' },
  }
  const warning = {
    ...structuredClone(agent),
    id: 'linux.qemu-ga.warning',
    effect: { fail: 'warn', unknown: 'inform' },
  }
  policy.rules.splice(at('linux.qemu-ga.absent'), 1, advice, warning)
  const shadow = policy.rules[at('linux.shadow.writable')]
  shadow.effect = { fail: 'warn', unknown: 'block' }
  delete policy.alternatives
  const path = join(folder, 'rewritten.yaml')
  writeFileSync(path, stringify({ ...policy, version: '2.0.0', effectiveFrom: '2027-01-01T00:00:00Z' }))
  const { code, json } = await diff(path)
  t.equal(code, 1)
  const changes = Object.fromEntries(
    json.rules.map((one: { rule: string; change: string; bump: string }) => [one.rule, `${one.change} ${one.bump}`]),
  )
  t.same(changes, {
    'linux.disk.partition-table': 'text-only patch',
    'linux.qemu-ga.absent': 'removed minor',
    'linux.qemu-ga.advice': 'added minor',
    'linux.qemu-ga.warning': 'added major',
    'linux.shadow.writable': 'looser minor',
  })
  t.match(json.members, [{ member: 'effectiveFrom' }, { member: 'alternatives', bump: 'minor' }])
})

t.test('people and pull requests get the same in their own form, with nothing that acts', async (t) => {
  const hostile = variant('hostile', '1.1.0', [later, debian, ['title: ', 'title: "\\e[2J<b>@somebody</b> | x" # ']])
  const human = await imagegate(['policy', 'diff', 'linux/1.0.0', hostile], {
    environment,
    columns: 100,
    noColour: true,
  })
  t.equal(human.code, 1)
  t.match(human.stdout, 'linux.distribution: looser (minor), some documents fare better, none worse')
  t.match(human.stdout, '/os/version: "10.7" → "11"')
  t.match(human.stdout, 'before: fail, contributes not ready; outcome not ready')
  t.notMatch(human.stdout, '\u001b')
  const { stdout: markdown } = await diff(hostile, ['--format', 'markdown'])
  t.match(markdown, '| `linux.distribution` | looser | minor |')
  t.match(markdown, '| `/os/version` | `"10.7"` | `"11"` |')
  t.notMatch(markdown, '\u001b')
  t.notMatch(markdown, /<b>|@somebody(?!<)/)
})

t.test('what cannot be compared is told', async (t) => {
  const families = await diff('windows-server/1.0.0')
  t.equal(families.code, 3)
  t.match(families.stderr, /OPTION_INVALID[\s\S]*linux\/1\.0\.0 is of linux/)
  t.equal((await diff('linux/9.9.9')).code, 3)
  const down = await diff('linux/1.0.0', [], variant('down', '1.1.0', [later]))
  t.equal(down.code, 1)
  t.match(down.stderr, 'POLICY_VERSION_TOO_SMALL')
  const none = await diff('linux/1.0.0', ['--examples', join(folder, 'nowhere')])
  t.equal(none.code, 3)
  t.match(none.stderr, 'FILE_UNREADABLE')
})
