import type { MutationReport } from '../authoring/mutate-policy.ts'
import { type Markup, markup } from './markup.ts'
import { suggestedLines } from './policy-case-text.ts'
import { staleText } from './policy-mutate-human.ts'

function suite({ policy, mutants, killed, equivalent, survivors, stale }: MutationReport): Markup {
  const name = `${policy.family} ${policy.version}`
  const file = `${policy.family}/${policy.version}.yaml`
  const properties = Object.entries({ mutants, killed, equivalent }).map(
    ([key, value]) => markup`      <property name="${key}" value="${value}"/>\n`,
  )
  const alive = survivors.map(({ mutant, line, suggestion }) => {
    const shown = suggestion?.status === 'found' ? suggestedLines(suggestion.suggested).join('\n') : ''
    return markup`    <testcase classname="${mutant.rule}" name="${mutant.name}" file="${file}" line="${line}"><failure type="survivor" message="No case notices this change">${shown}</failure></testcase>\n`
  })
  const refused = stale.map((one) => {
    const { file: listed, line, rule, name: mutant } = one.equivalent
    return markup`    <testcase classname="${rule}" name="${mutant}" file="${listed}" line="${line}"><failure type="stale" message="${staleText(one)}"/></testcase>\n`
  })
  const failures = survivors.length + stale.length
  return markup`  <testsuite name="${name}" tests="${failures + 1}" failures="${failures}" errors="0" skipped="0">
    <properties>
${properties}    </properties>
    <testcase classname="${name}" name="${killed} of ${mutants} mutants are killed, ${equivalent} are equivalent"/>
${alive}${refused}  </testsuite>\n`
}

/** Mutants as JUnit XML: a test suite a policy, a failure for each survivor and each stale entry. */
export function mutationJunit(reports: readonly MutationReport[]): string {
  const failures = reports.reduce((sum, { survivors, stale }) => sum + survivors.length + stale.length, 0)
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="imagegate policy mutate" tests="${failures + reports.length}" failures="${failures}" errors="0" skipped="0">
${reports.map(suite)}</testsuites>
`.text
}
