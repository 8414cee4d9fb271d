import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { imagegate, top } from './support.ts'
import { attributesOf, parseXml } from './xml.ts'

/** A folder with the shipped policies and examples, and a way to change one file of cases in it. */
function copied(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'imagegate-cases-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const name of ['policies', 'examples']) cpSync(join(top, name), join(folder, name), { recursive: true })
  const policies = join(folder, 'policies')
  const cases = join(policies, 'unidentified', 'tests', 'unidentified.yaml')
  const replace = (from: string, to: string) => {
    const text = readFileSync(cases, 'utf8')
    if (!text.includes(from)) throw new Error(`There is no ${from}.`)
    writeFileSync(cases, text.replace(from, to))
  }
  const run = (...args: string[]) => imagegate(['policy', 'test', 'unidentified', '--policies', policies, ...args])
  return { replace, run }
}

t.test('cases that hold exit with 0, and JSON tells how many there are', async (t) => {
  const ran = await copied(t).run()
  t.equal(ran.code, 0, ran.stderr)
  const { policies } = JSON.parse(ran.stdout)
  t.match(policies, [{ family: 'unidentified', version: '1.0.0', failed: [], coverage: { rules: 3, leaves: 16 } }])
  t.ok(policies[0].cases >= 19)
})

t.test('a case that does not hold is told with file, line, rule, what was expected and what was got', async (t) => {
  const { replace, run } = copied(t)
  replace(
    'changes: { unidentified.disk.partition-table: fail }',
    'changes: { unidentified.disk.partition-table: unknown }',
  )
  replace(`partition table is "none"'`, `partition table is "zero"'`)
  const ran = await run('--format', 'human')
  t.equal(ran.code, 1)
  t.match(ran.stdout, /unidentified\/tests\/unidentified\.yaml:21 {2}a disk without a partition table fails/)
  t.match(ran.stdout, 'unidentified.disk.partition-table: expected unknown, got fail')
  t.match(ran.stdout, /- The disk's partition table is "zero"\n.*it parts before: zero"/)
  const json = JSON.parse((await run('--format', 'json')).stdout)
  t.match(json.policies[0].failed, [{ line: 21, differences: [{ kind: 'result', got: 'fail' }, { kind: 'message' }] }])
})

t.test('a rule that is named and does not differ from its base, and another outcome, are told', async (t) => {
  const { replace, run } = copied(t)
  replace('changes: {}\n    outcome: undetermined', 'changes: { unidentified.release: unknown }\n    outcome: ready')
  const ran = await run('--format', 'human')
  t.equal(ran.code, 1)
  t.match(ran.stdout, 'unidentified.release: is unknown in the base already')
  t.match(ran.stdout, 'outcome: expected ready, got undetermined')
})

t.test('a patch that does not fit, and a document of another family, break the case and no other', async (t) => {
  const { replace, run } = copied(t)
  replace('path: /disk/partitionTable, value: mbr', 'path: /disk/nothing/here, value: mbr')
  const linux = '{ op: add, path: /os, value: { type: linux } }'
  const source = '{ op: add, path: /collection/sources/0/pointers/-, value: /os }'
  replace('- { op: replace, path: /disk/partitionTable, value: hybrid }', `- ${linux}\n      - ${source}`)
  const ran = await run('--format', 'json')
  t.equal(ran.code, 1)
  const [first, second, ...others] = JSON.parse(ran.stdout).policies[0].failed
  t.match(first.differences, [{ kind: 'broken', reason: /Step 1 of the patch, replace \/disk\/nothing\/here/ }])
  t.match(second.differences, [{ kind: 'broken', reason: 'judged by the family linux' }])
  t.same(others, [])
})

t.test('every mistake in a file of cases is told at once with its line, and nothing runs', async (t) => {
  const { replace, run } = copied(t)
  replace('unidentified.disk.partition-table: fail', 'unidentified.disk.partition-tabel: fail')
  replace('unidentified.disk.partition-table: unknown', 'unidentified.nothing: unknown')
  const ran = await run()
  t.equal(ran.code, 3)
  t.match(
    ran.stderr,
    /POLICY_TEST_INVALID[\s\S]*unidentified\.yaml:24:\d+.*partition-tabel[\s\S]*unidentified\.yaml:30:\d+.*nothing/,
  )
})

t.test(
  'coverage below what is asked for exits with 1 and tells what is missing with a document that has it',
  async (t) => {
    const { replace, run } = copied(t)
    replace('path: /disk/partitionTable, value: none', 'path: /disk/partitionTable, value: mbr')
    replace(
      'changes: { unidentified.disk.partition-table: fail }\n    outcome: not_ready',
      'changes: {}\n    outcome: undetermined',
    )
    replace(`\n    messages: { unidentified.disk.partition-table: 'The disk''s partition table is "none"' }`, '')
    t.equal((await run('--min-coverage', '50')).code, 0)
    const ran = await run('--min-coverage', '100', '--format', 'human')
    t.equal(ran.code, 1)
    t.match(
      ran.stdout,
      /unidentified\.disk\.partition-table is never fail\n\s+base: examples.*\n\s+patch:\n.*partitionTable, value: none/,
    )
    t.match(ran.stdout, 'Coverage is below 100 %')
    const { gaps } = JSON.parse((await run()).stdout).policies[0].coverage
    t.match(gaps[0], {
      rule: 'unidentified.disk.partition-table',
      missing: 'fail',
      change: { patch: [{ value: 'none' }] },
    })
  },
)

t.test('JUnit has a test case for each case and one for the coverage', async (t) => {
  const { replace, run } = copied(t)
  replace('a disk without a partition table fails', 'a <disk> & "none"')
  replace('changes: { unidentified.disk.partition-table: fail }', 'changes: {}')
  const ran = await run('--format', 'junit')
  t.equal(ran.code, 1)
  const tags = parseXml(ran.stdout)
  const suite = tags.find(({ name }) => name === 'testsuite')
  const cases = tags.filter(({ name, kind }) => name === 'testcase' && kind !== 'close')
  t.equal(attributesOf(suite?.text ?? '').get('failures'), '1')
  t.equal(attributesOf(suite?.text ?? '').get('tests'), `${cases.length}`)
  t.ok(cases.some(({ text }) => attributesOf(text).get('name') === 'a <disk> & "none"'))
})

t.test('an unknown policy, a percentage beyond 100 and an unreadable folder exit with 3', async (t) => {
  const unknown = await imagegate(['policy', 'test', 'linux/9.9.9'])
  t.equal(unknown.code, 3)
  t.match(unknown.stderr, /POLICY_NOT_FOUND[\s\S]*linux\/1\.0\.0/)
  t.equal((await imagegate(['policy', 'test', '--min-coverage', '101'])).code, 3)
  t.equal((await imagegate(['policy', 'test', '--policies', '/nowhere'])).code, 3)
})

t.test('--watch runs again when a case changes, and ends on a signal as the last run ended', async (t) => {
  const { replace, run } = copied(t)
  const running = run('--watch')
  // The first run ends well before the files are looked at for the second time.
  await sleep(3_000)
  replace('changes: { unidentified.disk.partition-table: fail }', 'changes: {}')
  await sleep(4_000)
  process.emit('SIGTERM')
  const ran = await running
  t.equal(ran.code, 1, 'the last run had a case that does not hold')
  const runs = ran.stdout.trim().split('\n')
  t.equal(runs.length, 2)
  t.same(
    runs.map((line) => JSON.parse(line).policies[0].failed.length),
    [0, 1],
  )
})
