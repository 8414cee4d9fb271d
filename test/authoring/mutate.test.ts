import { readFile } from 'node:fs/promises'
import t from 'tap'
import { readEquivalents } from '../../server/authoring/equivalents.ts'
import { mutantsOf } from '../../server/authoring/mutants.ts'
import { valueVariants } from '../../server/authoring/mutants-value.ts'
import { failingCases, mutatePolicy } from '../../server/authoring/mutate-policy.ts'
import type { PreparedCase } from '../../server/authoring/situation.ts'
import { percentOf, testPolicy } from '../../server/authoring/test-policy.ts'
import { pointerType } from '../../server/policy/fact-types.ts'
import { shippedPolicies } from '../../server/policy/load.ts'
import { policies, shippedCases } from '../policies/shipped.ts'
import { count, random, seed } from '../support/long.ts'

const cases = await shippedCases()
const unidentified = policies.versions.find(({ family }) => family === 'unidentified')
if (unidentified === undefined) throw new Error('There is no policy for unidentified systems.')

for (const policy of policies.versions) {
  t.test(
    `no mutant of ${policy.family} ${policy.version} survives, and none is listed as equivalent that is not`,
    async (t) => {
      t.same(failingCases(policy, cases), [])
      const listed = await readEquivalents(shippedPolicies, policy)
      const { mutants, killed, equivalent, survivors, stale } = mutatePolicy(policy, cases, listed, { suggestions: 0 })
      t.same(
        survivors.map(({ mutant }) => `${mutant.rule} ${mutant.name}`),
        [],
      )
      t.same(stale, [])
      t.equal(killed + equivalent, mutants)
      t.equal(equivalent, listed.length)
      t.ok(killed > 50, `${killed} are killed`)
    },
  )
}

t.test('a case that is deleted is noticed: coverage falls or a mutant survives', async (t) => {
  const listed = await readEquivalents(shippedPolicies, unidentified)
  const own = cases.filter(({ family }) => family === 'unidentified')
  const noticed = own.filter((one) => {
    const others = own.filter((other) => other !== one)
    const { survivors } = mutatePolicy(unidentified, others, listed, { suggestions: 0 })
    return survivors.length > 0 || percentOf(testPolicy(unidentified, others).coverage) < 100
  })
  t.ok(noticed.length >= own.length / 2, `${noticed.length} of ${own.length} cases are noticed alone`)
  const failing = own.filter(({ one }) => one.changes['unidentified.disk.partition-table'] === 'fail')
  t.ok(failing.length > 0)
  const others = own.filter((one) => !failing.includes(one))
  t.ok(percentOf(testPolicy(unidentified, others).coverage) < 100, 'a result that no case brings about is a gap')
})

t.test('the case that is suggested for a survivor kills it', async (t) => {
  t.comment(`IMAGEGATE_SEED=${seed}`)
  const listed = await readEquivalents(shippedPolicies, unidentified)
  const own = cases.flatMap((one): PreparedCase[] => ('changed' in one && one.family === 'unidentified' ? [one] : []))
  const next = random(seed)
  for (let round = 0; round < count(300, 3); round += 1) {
    const some = own.filter(() => next() < 0.6)
    const { survivors } = mutatePolicy(unidentified, some, listed, { suggestions: 5 })
    for (const { mutant, suggestion } of survivors.slice(0, 5)) {
      if (suggestion?.status !== 'found') continue
      const { found, suggested } = suggestion
      const one = { name: 'suggested', ...suggested }
      const added: PreparedCase = {
        file: 'suggested',
        line: 1,
        family: 'unidentified',
        version: '1.0.0',
        one,
        basePath: suggested.base,
        options: {},
        base: found.base.situation,
        changed: found.situation,
      }
      t.same(failingCases(unidentified, [added]), [], 'the policy satisfies it')
      const again = mutatePolicy(unidentified, [...some, added], listed, {
        suggestions: 0,
        choose: ({ rule, name }) => rule === mutant.rule && name === mutant.name,
      })
      t.same(again.survivors, [], `${mutant.rule} ${mutant.name}`)
    }
  }
})

t.test('an entry that is killed, that names no mutant or that stands twice is stale', async (t) => {
  const [mutant] = mutantsOf(unidentified.policy)
  const place = { file: 'equivalent-mutants.yaml', line: 1, column: 1, reason: 'It is not so.' }
  const listed = await readEquivalents(shippedPolicies, unidentified)
  const [first] = listed
  if (mutant === undefined || first === undefined) throw new Error('There are none.')
  const killed = mutantsOf(unidentified.policy).find(({ name }) => name === 'conditions: any -> all')
  if (killed === undefined) throw new Error('There is no such mutant.')
  const more = [
    { ...place, rule: killed.rule, name: killed.name },
    { ...place, rule: killed.rule, name: 'conditions/all/99: dropped' },
    first,
  ]
  const { stale } = mutatePolicy(unidentified, cases, [...listed, ...more], { suggestions: 0 })
  t.match(stale, [{ why: 'killed', by: { one: {} } }, { why: 'no such mutant' }, { why: 'twice' }])
})

t.test('bounds are shifted both ways, versions and dates too, and sets get narrower and wider', async (t) => {
  const version = pointerType('/os/version')
  const values = (value: string | number | (string | number)[], type = version) =>
    valueVariants(value, type, []).map((variant) => variant.value)
  t.same(values('681.2.0'), ['681.1.0', '681.2.1'])
  t.same(values('0.7.9'), ['0.7.8', '0.7.10'])
  t.same(values('2020-12-31'), ['2020-12-30', '2021-01-01'])
  t.same(values('2020-12-31T23:59:59Z'), ['2020-12-31T23:59:58Z', '2021-01-01T00:00:00Z'])
  t.same(values(8), [7, 9])
  t.same(values(0), [1], 'no fact is negative')
  t.same(values([5, 6]), [[6], [5], [5, 6, 4], [5, 6, 7]])
})

t.test('every mutant has a name of its own', async (t) => {
  for (const { policy } of policies.versions) {
    const names = mutantsOf(policy).map(({ rule, name }) => `${rule} ${name}`)
    t.equal(new Set(names).size, names.length)
  }
  t.match(await readFile(new URL('../../schemas/equivalent-mutants.schema.json', import.meta.url), 'utf8'), 'dropped')
})
