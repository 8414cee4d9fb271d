import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type LintGroup, readLintFolder } from '../../../server/authoring/lint-files.ts'
import { lintFiles } from '../../../server/policy/lint/lint.ts'
import { loadPolicies, shippedPolicies } from '../../../server/policy/load.ts'
import { count, random, seed } from '../../support/long.ts'
import { type MistakeKind, mistakeKinds } from './mistakes.ts'

// The smaller policies are taken more often: a large one takes a third of a second to lint and to load.
const families = ['windows-server', 'windows-server', 'windows-server', 'unidentified', 'linux', 'nonstandard-linux']
const mistakes = count(1_000, 110)

/** What lint tells of one policy whose text is another, beside the lock and the requirements of its folder. */
function told(input: LintGroup['input'], path: string, text: string): string[] {
  const policies = [{ file: path, path, text }]
  const problems = lintFiles({ ...input, policies, tests: [], isWanted: (file) => file === path })
  return problems.map(({ line, code }) => `${line} ${code}`)
}

/** A mistake in the first of some policies, in an order of chance, whose text offers a place for it. */
function mistakeIn(root: string, kind: MistakeKind, next: () => number) {
  const first = Math.floor(next() * families.length)
  for (const family of [...families.slice(first), ...families.slice(0, first)]) {
    const path = `${family}/1.0.0.yaml`
    const sound = readFileSync(join(root, path), 'utf8')
    const mistake = kind.make(sound, next)
    if (mistake !== undefined) return { path, sound, ...mistake }
  }
  throw new Error(`No shipped policy offers a place for this: ${kind.name}`)
}

t.test(`${mistakes} mistakes in the shipped policies are all told at their lines, and none is loaded`, async (t) => {
  t.comment(`seed ${seed}`)
  const next = random(seed)
  const root = join(t.testdir(), 'policies')
  cpSync(shippedPolicies, root, { recursive: true })
  const { input } = await readLintFolder(root, root)
  const made = new Set<string>()
  for (let round = 0; round < mistakes; round += 1) {
    const kind = mistakeKinds[round % mistakeKinds.length]
    if (kind === undefined) throw new RangeError(`${round}`)
    const { path, sound, text, line, code } = mistakeIn(root, kind, next)
    const all = told(input, path, text)
    if (!all.includes(`${line} ${code}`)) t.fail(`${kind.name} in ${path}: ${line} ${code}`, { all, seed })
    const file = join(root, path)
    writeFileSync(file, text)
    const refused = await loadPolicies(root).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (refused === undefined) t.fail(`${kind.name} in ${path} is loaded`, { seed })
    writeFileSync(file, sound)
    made.add(kind.name)
  }
  t.ok(mistakes >= 100)
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
