import t from 'tap'
import { percentOf, testPolicy } from '../../server/authoring/test-policy.ts'
import { policies, shippedCases } from './shipped.ts'

const cases = await shippedCases()

for (const policy of policies.versions) {
  const report = testPolicy(policy, cases)

  t.test(`the cases of ${policy.family} ${policy.version} change exactly the rules that they name`, async (t) => {
    t.ok(report.ran.length > 0, 'there are some')
    for (const { case: one, differences } of report.ran) {
      if (differences.length > 0) t.same(differences, [], `${one.file}:${one.line} ${one.one.name}`)
    }
  })

  t.test(
    `the cases of ${policy.family} ${policy.version} cover every rule and every condition in every way`,
    async (t) => {
      t.same(report.coverage.gaps, [])
      t.equal(percentOf(report.coverage), 100)
    },
  )
}
