import { readFile } from 'node:fs/promises'
import t from 'tap'
import { parse } from 'yaml'
import { judged } from '../../server/authoring/cases.ts'
import { compilePolicy } from '../../server/policy/program.ts'
import { policies, shippedCases, top } from './shipped.ts'

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

async function reachedResults() {
  const cases = await shippedCases()
  return policies.versions.flatMap(({ family, version, policy }) => {
    const program = compilePolicy(policy)
    const own = cases.filter((one) => one.family === family && one.version === version)
    return own.flatMap((one) => {
      const found = 'changed' in one ? judged(program, one.changed).results : new Map<string, string>()
      return policy.rules.map((rule) => ({ family, rule, result: found.get(rule.id) ?? '' }))
    })
  })
}

t.test('every requirement has cases in which a rule of it passes, fails and is unknown', async (t) => {
  const reached = new Map<string, Set<string>>()
  for (const { family, rule, result } of await reachedResults()) {
    for (const id of rule.requirements) {
      const key = `${family} ${id}`
      reached.set(key, (reached.get(key) ?? new Set()).add(result))
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
