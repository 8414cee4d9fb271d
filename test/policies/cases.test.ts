import t from 'tap'
import { testPolicy } from '../../server/authoring/test-policy.ts'
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
}
