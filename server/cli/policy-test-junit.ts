import type { Difference, RanCase } from '../authoring/cases.ts'
import { type PolicyReport, percentOf } from '../authoring/test-policy.ts'
import { type Markup, markup } from './markup.ts'

function differenceText(difference: Difference): string {
  switch (difference.kind) {
    case 'result':
      return `${difference.rule}: expected ${difference.expected}, got ${difference.got}`
    case 'unchanged':
      return `${difference.rule}: is ${difference.got} in the base already`
    case 'outcome':
      return `outcome: expected ${difference.expected}, got ${difference.got}`
    case 'message':
      return `${difference.rule}: expected to say: ${difference.expected}\nit says: ${difference.got}`
    case 'broken':
      return difference.reason
  }
}

function caseMarkup({ case: one, differences }: RanCase): Markup {
  const { file, line, one: given } = one
  const [first] = differences
  if (first === undefined)
    return markup`    <testcase classname="${file}" name="${given.name}" file="${file}" line="${line}"/>\n`
  const text = [`${file}:${line}`, ...differences.map(differenceText)].join('\n')
  const inner =
    first.kind === 'broken'
      ? markup`<error type="broken" message="${first.reason}">${text}</error>`
      : markup`<failure type="${first.kind}" message="${differenceText(first)}">${text}</failure>`
  return markup`    <testcase classname="${file}" name="${given.name}" file="${file}" line="${line}">${inner}</testcase>\n`
}

function coverageMarkup(name: string, { policy, coverage }: PolicyReport, minimum: number): Markup {
  const percent = percentOf(coverage)
  const head = `The cases cover at least ${minimum} %`
  if (percent >= minimum) return markup`    <testcase classname="${name}" name="${head}"/>\n`
  const gaps = coverage.gaps.map(({ line, rule, leaf = 'the rule', missing }) => {
    return `${policy.family}/${policy.version}.yaml:${line} ${rule}: ${leaf} is never ${missing}`
  })
  return markup`    <testcase classname="${name}" name="${head}"><failure type="coverage" message="${percent} % are covered">${gaps.join('\n')}</failure></testcase>\n`
}

function failures({ ran, coverage }: PolicyReport, minimum: number): number {
  const failed = ran.filter(({ differences: [first] }) => first !== undefined && first.kind !== 'broken').length
  return failed + (percentOf(coverage) < minimum ? 1 : 0)
}

function errors({ ran }: PolicyReport): number {
  return ran.filter(({ differences: [first] }) => first?.kind === 'broken').length
}

/** Cases as JUnit XML: a test suite a policy, a test case a case, and one for the coverage that is asked for. */
export function testJunit(reports: readonly PolicyReport[], minimum: number): string {
  const suites = reports.map((report) => {
    const name = `${report.policy.family} ${report.policy.version}`
    return markup`  <testsuite name="${name}" tests="${report.ran.length + 1}" failures="${failures(report, minimum)}" errors="${errors(report)}" skipped="0">
    <properties>
      <property name="coverage" value="${percentOf(report.coverage)}"/>
    </properties>
${report.ran.map(caseMarkup)}${coverageMarkup(name, report, minimum)}  </testsuite>\n`
  })
  const sum = (count: (report: PolicyReport) => number) => reports.reduce((all, report) => all + count(report), 0)
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="imagegate policy test" tests="${sum(({ ran }) => ran.length + 1)}" failures="${sum((report) => failures(report, minimum))}" errors="${sum(errors)}" skipped="0">
${suites}</testsuites>
`.text
}
