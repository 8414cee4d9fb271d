import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sha256 } from '../../server/digest.ts'
import { imagegate, top } from './support.ts'

/** A repository of its own with one family, released and committed. */
function repository(folder: string): { policies: string; git: (...args: string[]) => void } {
  const policies = join(folder, 'policies')
  mkdirSync(join(folder, 'examples'), { recursive: true })
  cpSync(join(top, 'policies', 'unidentified'), join(policies, 'unidentified'), { recursive: true })
  cpSync(join(top, 'examples'), join(folder, 'examples'), { recursive: true })
  cpSync(join(top, 'policies', 'requirements.yaml'), join(policies, 'requirements.yaml'))
  const lock = JSON.parse(readFileSync(join(top, 'policies', 'policies.lock.json'), 'utf8'))
  const own = lock.policies.filter(({ family }: { family: string }) => family === 'unidentified')
  writeFileSync(join(policies, 'policies.lock.json'), JSON.stringify({ ...lock, policies: own }))
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.com']
  const git = (...args: string[]) => {
    execFileSync('git', [...identity, ...args], { cwd: folder, stdio: 'ignore' })
  }
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '--message', 'release')
  return { policies, git }
}

const first = 'unidentified/1.0.0.yaml'

function gate(policies: string, ...more: string[]) {
  return imagegate(['policy', 'gate', '--base', 'HEAD', '--policies', policies, ...more])
}

const resultsOf = (text: string) =>
  Object.fromEntries(JSON.parse(text).steps.map(({ name, code }: { name: string; code: number }) => [name, code]))

/** A later version by a change of the text. */
function draft(policies: string, version: string, change: (text: string) => string): string {
  const text = readFileSync(join(policies, first), 'utf8')
    .replace('version: "1.0.0"', `version: "${version}"`)
    .replace(/effectiveFrom: .*/, 'effectiveFrom: 2026-01-01T00:00:00Z')
  const changed = change(text)
  writeFileSync(join(policies, 'unidentified', `${version}.yaml`), changed)
  return changed
}

t.test('nothing new passes, and each step is told', async (t) => {
  const { policies } = repository(t.testdir())
  const ran = await gate(policies)
  t.equal(ran.code, 0, ran.stdout)
  t.same(resultsOf(ran.stdout), { lint: 0, test: 0, mutate: 0, 'releases since HEAD': 0 })
  t.match(ran.stderr, /^ok lint\nok test\nok mutate\nok releases since HEAD\n$/)
})

t.test('a softened rule needs a minor version, and its witness is in the summary', async (t) => {
  const { policies } = repository(t.testdir())
  const soften = (text: string) => text.replace('fail: block', 'fail: warn')
  draft(policies, '1.0.1', soften)
  const small = await gate(policies)
  t.equal(small.code, 1)
  t.equal(resultsOf(small.stdout)['diff unidentified/1.0.0 unidentified/1.0.1'], 1)
  t.match(small.stdout, /POLICY_VERSION_TOO_SMALL/)
  execFileSync('rm', [join(policies, 'unidentified/1.0.1.yaml')])
  draft(policies, '1.1.0', soften)
  const enough = await gate(policies, '--format', 'markdown')
  t.match(enough.stdout, /\| `?<?c?o?d?e?>?diff unidentified\/1\.0\.0 unidentified\/1\.1\.0.*\| ok \|/)
  t.match(enough.stdout, /\*\*looser\*\*/)
})

t.test(
  'a release that is changed, forgotten or no longer withdrawn is refused, whatever the lock now says',
  async (t) => {
    const { policies, git } = repository(t.testdir())
    const text = `${readFileSync(join(policies, first), 'utf8')}# changed\n`
    writeFileSync(join(policies, first), text)
    const changed = await gate(policies)
    t.equal(resultsOf(changed.stdout)['lint'], 1, 'the lock tells')
    const path = join(policies, 'policies.lock.json')
    const lock = JSON.parse(readFileSync(path, 'utf8'))
    const write = (member: Record<string, unknown>) =>
      writeFileSync(path, JSON.stringify({ ...lock, policies: [{ ...lock.policies[0], ...member }] }))
    write({ digest: sha256(text) })
    const relocked = await gate(policies)
    t.equal(resultsOf(relocked.stdout)['lint'], 0, 'file and lock agree')
    t.equal(resultsOf(relocked.stdout)['releases since HEAD'], 1, 'but not with what was released')
    t.match(relocked.stdout, /unidentified 1\.0\.0 was released with digest/)
    git('checkout', '--quiet', '.')
    write({ withdrawn: { at: '2026-01-01T00:00:00Z', reason: 'It was wrong.' } })
    git('commit', '--quiet', '--all', '--message', 'withdraw')
    write({})
    t.match((await gate(policies)).stdout, /unidentified 1\.0\.0 was withdrawn and is no longer/)
  },
)

t.test('a base that git does not know could not be run, and a wrong option is told', async (t) => {
  const { policies } = repository(t.testdir())
  const ran = await imagegate(['policy', 'gate', '--base', 'nowhere', '--policies', policies])
  t.equal(ran.code, 3)
  t.match(ran.stderr, /FILE_UNREADABLE[\s\S]*nowhere/)
  t.equal((await imagegate(['policy', 'gate'])).code, 3)
})
