import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t from 'tap'
import { lintHeads } from '../../server/policy/lint/heads.ts'
import { imagegate, top } from './support.ts'

/** A copy of the shipped policies beside the documents that their cases start from. */
function repository(folder: string): string {
  for (const name of ['policies', 'examples']) cpSync(join(top, name), join(folder, name), { recursive: true })
  return join(folder, 'policies')
}

/** A draft of the next version of a family. */
function draft(policies: string, change: (text: string) => string): string {
  const text = readFileSync(join(policies, 'unidentified/1.0.0.yaml'), 'utf8')
  const next = text.replace('"1.0.0"', '"1.1.0"').replace('2020-12-30T00:00:00Z', '2030-01-01T00:00:00Z')
  const path = join(policies, 'unidentified/1.1.0.yaml')
  writeFileSync(path, change(next))
  return path
}

const typo = (text: string) => text.replace('path: /partitionTable, operator', 'path: /partitionTabel, operator')

t.test('the shipped policies have notes and nothing worse', async (t) => {
  const { code, stdout } = await imagegate(['policy', 'lint', '--fail-on', 'warning'])
  t.equal(code, 0)
  const { counts, files, problems } = JSON.parse(stdout)
  t.same({ error: counts.error, warning: counts.warning }, { error: 0, warning: 0 })
  t.ok(files > 30, 'cases, lock and requirements were read, too')
  t.same(
    problems.filter(({ severity }: { severity: string }) => severity !== 'note'),
    [],
  )
  t.ok(
    problems.some(({ code }: { code: string }) => code === 'soft-unknown'),
    'rules whose unknown is softer are listed',
  )
})

t.test('a draft is linted with the folder that it belongs to, and only its problems are told', async (t) => {
  const path = draft(repository(t.testdir()), typo)
  const { code, stdout } = await imagegate(['policy', 'lint', path])
  t.equal(code, 1)
  const { files, problems } = JSON.parse(stdout)
  t.equal(files, 1)
  const errors = problems.filter(({ severity }: { severity: string }) => severity === 'error')
  t.match(errors, [
    {
      file: relative('', path),
      code: 'unknown-path',
      line: Number,
      column: Number,
      mend: 'Did you mean /disk/partitionTable?',
    },
  ])
  t.equal(errors.length, 1)
  t.match(problems, [{ code: 'unreleased' }])
})

t.test('people get place, code, message, mend and a count', async (t) => {
  const path = draft(repository(t.testdir()), typo)
  const { stdout } = await imagegate(['policy', 'lint', path, '--format', 'human'])
  t.match(stdout, /1\.1\.0\.yaml:\d+:\d+ error unknown-path\n {2}No fact is known at \/disk\/partitionTabel\.\n/)
  t.match(stdout, /\n {2}Mend: Did you mean \/disk\/partitionTable\?\n/)
  t.match(stdout, /\n1 error, 0 warnings, 2 notes in 1 file\.\n$/)
})

t.test('a warning exits with 1 only when asked', async (t) => {
  const path = draft(repository(t.testdir()), (text) =>
    text.replace('parameters: {}', 'parameters: { spare: { value: 1, unit: bytes, provenance: nobody } }'),
  )
  t.equal((await imagegate(['policy', 'lint', path])).code, 0)
  t.equal((await imagegate(['policy', 'lint', '--fail-on', 'warning', path])).code, 1)
})

t.test('GitHub annotations are commands whose texts cannot end them', async (t) => {
  const folder = t.testdir({ 'draft,1:%.yaml': 'schema: imagegate.policy/1\nfamily: "::error::\\e[31m%0A"\n' })
  const { code, stdout } = await imagegate(['policy', 'lint', '--format', 'github', join(folder, 'draft,1:%.yaml')])
  t.equal(code, 1)
  const lines = stdout.trimEnd().split('\n')
  t.ok(lines.length > 3)
  for (const line of lines)
    t.match(line, /^::error file=[^,:]+draft%2C1%3A%25\.yaml,line=\d+,col=\d+,title=[a-z-]+::.+$/)
  t.notMatch(stdout, '\u001b')
})

t.test('SARIF names every code, and the place of every problem', async (t) => {
  const path = draft(repository(t.testdir()), typo)
  const { stdout } = await imagegate(['policy', 'lint', '--format', 'sarif', path])
  const log = JSON.parse(stdout)
  t.match(log, { $schema: /sarif-2\.1\.0/, version: '2.1.0', runs: { length: 1 } })
  const [run] = log.runs
  t.equal(run.tool.driver.rules.length, lintHeads.length)
  const error = run.results.find(({ level }: { level: string }) => level === 'error')
  t.equal(run.tool.driver.rules[error.ruleIndex].id, 'unknown-path')
  t.match(error.locations, [{ physicalLocation: { region: { startLine: Number, startColumn: Number } } }])
})

t.test('what cannot be linted exits with 3', async (t) => {
  const folder = t.testdir({ empty: {} })
  const gone = await imagegate(['policy', 'lint', join(folder, 'gone')])
  t.equal(gone.code, 3)
  t.match(gone.stderr, /FILE_UNREADABLE/)
  const usage = await imagegate(['policy', 'lint', '--format', 'xml'])
  t.equal(usage.code, 3)
  const { code, stderr } = await imagegate(['policy', 'lint', join(repository(join(folder, 'empty')), 'README.md')])
  t.equal(code, 3)
  t.match(stderr, /nothing to lint/)
})

t.test('a folder without a lock, and one whose lock is cut off', async (t) => {
  const policies = repository(t.testdir())
  const lock = join(policies, 'policies.lock.json')
  appendFileSync(lock, '}')
  t.match(JSON.parse((await imagegate(['policy', 'lint', lock])).stdout).problems, [{ code: 'malformed-lock' }])
  rmSync(lock)
  const { code, stdout } = await imagegate(['policy', 'lint', policies])
  t.equal(code, 1)
  t.match(JSON.parse(stdout).problems[0], { file: relative('', lock), line: 1, code: 'missing-lock' })
})

t.test('help has examples and exit codes', async (t) => {
  const { code, stdout } = await imagegate(['policy', 'lint', '--help'])
  t.equal(code, 0)
  t.match(stdout, /Examples:[\s\S]*--format github[\s\S]*Exit codes:[\s\S]*0 {2}clean/)
})
