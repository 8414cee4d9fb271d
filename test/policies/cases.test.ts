import t from 'tap'
import { results, runCase, testFiles } from './case-runner.ts'

function textOf(
  finding: { message?: string; remediation?: { steps: string[]; command?: string } } | undefined,
): string {
  return [finding?.message, ...(finding?.remediation?.steps ?? []), finding?.remediation?.command].join('\n')
}

for (const test of await testFiles()) {
  t.test(`the cases of ${test.file} change exactly the rules that they name`, async (t) => {
    for (const one of test.cases) {
      const { base, verdict } = await runCase(test, one)
      t.same(results(verdict), { ...results(base), ...one.changes }, one.name)
      const unchanged = Object.entries(one.changes).filter(([rule, result]) => results(base)[rule] === result)
      t.same(unchanged, [], `${one.name}: every named rule differs from the base`)
      t.equal(verdict.outcome, one.outcome, `${one.name}: outcome`)
      for (const [rule, text] of Object.entries(one.messages ?? {})) {
        const said = textOf(verdict.findings.find((finding) => finding.rule === rule))
        t.ok(said.includes(text), `${one.name}: ${rule} says ${text}`, { said })
      }
    }
  })
}
