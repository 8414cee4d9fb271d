import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readLintFolder } from '../../../server/authoring/lint-files.ts'
import { lintFiles } from '../../../server/policy/lint/lint.ts'
import { loadPolicies, shippedPolicies } from '../../../server/policy/load.ts'
import { count, random, seed } from '../../support/long.ts'
import { mistakeKinds } from './mistakes.ts'

const families = ['windows-server', 'linux', 'unidentified', 'nonstandard-linux']
const mistakes = count(1_000, mistakeKinds.length)

/** What lint tells of one policy whose text is another. */
async function told(root: string, path: string, text: string): Promise<string[]> {
  const { input } = await readLintFolder(root, root)
  const policies = input.policies.map((source) => (source.path === path ? { ...source, text } : source))
  const problems = lintFiles({ ...input, policies, isWanted: (file) => file === path })
  return problems.map(({ line, code }) => `${line} ${code}`)
}

t.test(`${mistakes} mistakes in the shipped policies are all told at their lines, and none is loaded`, async (t) => {
  t.comment(`seed ${seed}`)
  const next = random(seed)
  const root = join(t.testdir(), 'policies')
  cpSync(shippedPolicies, root, { recursive: true })
  const made = new Map<string, number>()
  let total = 0
  for (let round = 0; total < mistakes; round += 1) {
    const kind = mistakeKinds[round % mistakeKinds.length]
    const path = `${families[Math.floor(next() * families.length)]}/1.0.0.yaml`
    const file = join(root, path)
    const sound = readFileSync(file, 'utf8')
    const mistake = kind?.make(sound, next)
    if (kind === undefined || mistake === undefined) continue
    const { text, line, code } = mistake
    const all = await told(root, path, text)
    if (!all.includes(`${line} ${code}`)) t.fail(`${kind.name} in ${path}: ${line} ${code}`, { all, seed })
    writeFileSync(file, text)
    const refused = await loadPolicies(root).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (refused === undefined) t.fail(`${kind.name} in ${path} is loaded`, { seed })
    writeFileSync(file, sound)
    made.set(kind.name, (made.get(kind.name) ?? 0) + 1)
    total += 1
  }
  t.equal(total, mistakes)
  t.equal(made.size, mistakeKinds.length, `of ${made.size} kinds`)
  t.ok(made.size >= 12)
  await t.resolves(loadPolicies(root), 'without a mistake the same folder is loaded')
})

t.test('a changed digest in the lock is told at the version of the policy', async (t) => {
  const root = join(t.testdir(), 'policies')
  cpSync(shippedPolicies, root, { recursive: true })
  const lock = join(root, 'policies.lock.json')
  const sound = readFileSync(lock, 'utf8')
  const next = random(seed)
  for (const [digest] of sound.matchAll(/sha256:[0-9a-f]{64}/g)) {
    const at = 7 + Math.floor(next() * 64)
    const digit = digest[at] === '0' ? '1' : '0'
    writeFileSync(lock, sound.replace(digest, `${digest.slice(0, at)}${digit}${digest.slice(at + 1)}`))
    const { input } = await readLintFolder(root, root)
    const isPolicy = (file: string) => /^[^/]+\/1\.0\.0\.yaml$/.test(file)
    const problems = lintFiles({ ...input, isWanted: isPolicy }).filter(({ code }) => code === 'changed-release')
    t.equal(problems.length, 1)
    const [problem] = problems
    const text = input.policies.find(({ file }) => file === problem?.file)?.text ?? ''
    t.match(text.split('\n')[(problem?.line ?? 0) - 1], /^version: /)
    await t.rejects(loadPolicies(root), { code: 'POLICY_CHANGED' })
  }
})
