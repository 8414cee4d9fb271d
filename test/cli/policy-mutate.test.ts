import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { imagegate, top } from './support.ts'
import { attributesOf, parseXml } from './xml.ts'

function copied(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'imagegate-mutants-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const name of ['policies', 'examples']) cpSync(join(top, name), join(folder, name), { recursive: true })
  const policies = join(folder, 'policies')
  const tests = join(policies, 'unidentified', 'tests')
  const run = (...args: string[]) => imagegate(['policy', 'mutate', 'unidentified', '--policies', policies, ...args])
  return { tests, run }
}

t.test('mutants that are all killed or equivalent exit with 0', async (t) => {
  const ran = await copied(t).run('--format', 'human')
  t.equal(ran.code, 0, ran.stderr)
  t.match(ran.stdout, /^unidentified 1\.0\.0: 68 mutants, \d+ killed, \d+ equivalent, none survives\n$/)
})

t.test('a survivor is told with its line and the case that would kill it, in every format', async (t) => {
  const { tests, run } = copied(t)
  rmSync(join(tests, 'every-condition.yaml'))
  const ran = await run('--format', 'human')
  t.equal(ran.code, 1)
  t.match(ran.stdout, /unidentified\/1\.0\.0\.yaml:\d+ {2}unidentified\.container\.format cases\/1: dropped/)
  t.match(ran.stdout, /This case would kill it:\n\s+- name: …\n\s+base: examples/)
  const [report] = JSON.parse((await run('--format', 'json')).stdout).policies
  t.ok(report.survivors.length > 0)
  t.match(report.survivors[0], { search: 'found', case: { outcome: String, patch: [] } })
  const tags = parseXml((await run('--format', 'junit')).stdout)
  const suite = attributesOf(tags.find(({ name }) => name === 'testsuite')?.text ?? '')
  t.equal(suite.get('failures'), `${report.survivors.length}`)
  t.match(JSON.parse((await run('--format', 'json', '--suggestions', '0')).stdout).policies[0].survivors[0], {
    case: undefined,
  })
})

t.test('an entry that is not so any more is refused with its line', async (t) => {
  const { tests, run } = copied(t)
  const file = join(tests, 'equivalent-mutants.yaml')
  const entry =
    "      - rule: unidentified.container.format\n        reason: It is said to be so.\n        mutants:\n          - 'conditions: any -> all'\n"
  writeFileSync(file, readFileSync(file, 'utf8') + entry)
  const ran = await run('--format', 'human')
  t.equal(ran.code, 1)
  t.match(
    ran.stdout,
    /equivalent-mutants\.yaml:\d+ {2}unidentified\.container\.format conditions: any -> all:\s+it\s+is\s+killed\s+by/,
  )
  writeFileSync(file, readFileSync(file, 'utf8').replace('reason: It', 'because: It'))
  const invalid = await run()
  t.equal(invalid.code, 3)
  t.match(invalid.stderr, /POLICY_TEST_INVALID[\s\S]*equivalent-mutants\.yaml:\d+:\d+/)
})

t.test('cases that do not hold for the policy itself can judge no mutant', async (t) => {
  const { tests, run } = copied(t)
  const file = join(tests, 'unidentified.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('outcome: not_ready', 'outcome: ready'))
  const ran = await run()
  t.equal(ran.code, 3)
  t.match(ran.stderr, /POLICY_CASES_FAIL[\s\S]*unidentified\.yaml:\d+ a disk without a partition table fails/)
})
