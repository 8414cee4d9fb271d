import { readFile } from 'node:fs/promises'
import t from 'tap'
import { parse } from 'yaml'
import { policies, results, runCase, testFiles, top } from './case-runner.ts'

interface Requirement {
  id: string
  families: string[]
  statement: string
}

const { requirements }: { requirements: Requirement[] } = parse(
  await readFile(new URL('policies/requirements.yaml', top), 'utf8'),
)

t.test('every requirement is judged in each of its families, and no rule cites another id', async (t) => {
  for (const { policy } of policies.versions) {
    const cited = new Set(policy.rules.flatMap((rule) => rule.requirements))
    const expected = requirements.filter(({ families }) => families.includes(policy.family)).map(({ id }) => id)
    t.same([...cited].sort(), expected.sort(), `${policy.family} ${policy.version}`)
  }
})

t.test('requirements that never fail are cited by no rule', async (t) => {
  const never = requirements.filter(({ families }) => families.length === 0).map(({ id }) => id)
  t.same(never, ['W-14', 'N-01'])
})

t.test('every rule says all that an engineer needs', async (t) => {
  for (const { policy } of policies.versions) {
    for (const rule of policy.rules) {
      t.equal(rule.source.revision, '2020-12-30', `${rule.id} names the source's revision`)
      t.ok(rule.collect.length > 10, `${rule.id} says how to collect`)
    }
  }
})

/** Results that a requirement cannot have in a family, with the reason. */
const impossible: Readonly<Record<string, readonly string[]>> = {
  // The rule only informs, and only where DHCP is known to be on.
  'nonstandard-linux N-04': ['pass'],
  // The family is chosen because the operating system is not known.
  'unidentified G-02': ['pass', 'fail'],
}

t.test('every requirement has cases in which a rule of it passes, fails and is unknown', async (t) => {
  const reached = new Map<string, Set<string>>()
  for (const test of await testFiles()) {
    const policy = policies.versions.find((one) => one.family === test.family)?.policy
    for (const one of test.cases) {
      const { verdict } = await runCase(test, one)
      const found = results(verdict)
      for (const rule of policy?.rules ?? []) {
        for (const id of rule.requirements) {
          const key = `${test.family} ${id}`
          reached.set(key, (reached.get(key) ?? new Set()).add(found[rule.id] ?? ''))
        }
      }
    }
  }
  for (const { id, families } of requirements) {
    for (const family of families) {
      const wanted = ['pass', 'fail', 'unknown'].filter((result) => !impossible[`${family} ${id}`]?.includes(result))
      const got = reached.get(`${family} ${id}`) ?? new Set()
      t.same(
        wanted.filter((result) => !got.has(result)),
        [],
        `${family} ${id}`,
      )
    }
  }
})

t.test('every rule passes, fails and is unknown in some case', async (t) => {
  const reached = new Map<string, Set<string>>()
  for (const test of await testFiles()) {
    for (const one of test.cases) {
      for (const [rule, result] of Object.entries(results((await runCase(test, one)).verdict))) {
        reached.set(rule, (reached.get(rule) ?? new Set()).add(result))
      }
    }
  }
  for (const { policy } of policies.versions) {
    for (const rule of policy.rules) {
      const got = reached.get(rule.id) ?? new Set()
      // Its applicability can only be true or unknown: an unknown product type must not decide a build that no list has.
      if (rule.id === 'windows-server.release') got.add('not_applicable')
      const never = rule.requirements.flatMap((id) => impossible[`${policy.family} ${id}`] ?? [])
      const wanted = ['pass', 'fail', 'unknown', ...(rule.appliesWhen ? ['not_applicable'] : [])]
      t.same(
        wanted.filter((result) => !got.has(result) && !never.includes(result)),
        [],
        rule.id,
      )
    }
  }
})
