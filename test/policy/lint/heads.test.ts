import { readFileSync } from 'node:fs'
import t from 'tap'
import { lintHeads } from '../../../server/policy/lint/heads.ts'

t.test('docs/lint.md is the table of what lint finds', async (t) => {
  const page = readFileSync(new URL('../../../docs/lint.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  const expected = lintHeads.map(
    ({ code, severity, says, mend }) => `| \`${code}\` | ${severity} | ${says} | ${mend} |`,
  )
  t.same(rows, expected.sort())
})

t.test('every code is kebab case and stands once', async (t) => {
  const codes = lintHeads.map(({ code }) => code)
  t.equal(new Set(codes).size, codes.length)
  for (const code of codes) t.match(code, /^[a-z]+(-[a-z]+)*$/)
})

t.test('what a code says and its mend are sentences that stay the same', async (t) => {
  for (const { code, says, mend } of lintHeads) for (const text of [says, mend]) t.match(text, /^[A-Za-z].*\.$/, code)
})
