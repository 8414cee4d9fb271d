import type { Finding, Verdict } from '../documents/verdict.ts'
import { errorKinds, type ImagegateError } from '../errors.ts'
import { evidenceText } from './evidence-text.ts'
import type { FailLevel } from './exit.ts'
import { type Markup, markup } from './markup.ts'
import { outcomeText } from './outcome-text.ts'
import { type Answer, nameOf } from './report-answer.ts'

type Mark = 'passed' | 'failure' | 'error' | 'skipped'

/**
 * What a finding is to JUnit: only a pass is green. What blocks is a failure, or an error when it is unknown; so does what warns
 * under --fail-on warn. Everything else that is no pass is skipped, with its reason.
 */
function markOf({ effect, result }: Finding, failOn: FailLevel): Mark {
  if (result === 'pass') return 'passed'
  const counts = effect === 'block' || (effect === 'warn' && failOn === 'warn')
  if (!counts || result === 'not_applicable') return 'skipped'
  return result === 'fail' ? 'failure' : 'error'
}

function detail({ collect, evidence, remediation }: Finding): string {
  const steps = remediation?.steps.map((step, index) => `${index + 1}. ${step}`) ?? []
  const lines = [
    ...(evidence ?? []).map(evidenceText),
    ...steps,
    ...(remediation?.command === undefined ? [] : [remediation.command.trimEnd()]),
    ...(collect === undefined ? [] : [`To collect: ${collect}`]),
  ]
  return lines.join('\n')
}

function testCase(name: string, finding: Finding, failOn: FailLevel): Markup {
  const { effect, message = '', result, rule, title } = finding
  const mark = markOf(finding, failOn)
  const said = effect === 'warn' || effect === 'inform' ? `${effect}: ${message}` : message
  const head = { rule, name: `${rule}: ${title}` }
  if (mark === 'passed') return markup`    <testcase classname="${name}" name="${head.name}"/>\n`
  const inner =
    mark === 'skipped'
      ? markup`<skipped message="${result === 'not_applicable' ? message : `${result}, ${said}`}"/>`
      : mark === 'failure'
        ? markup`<failure type="${effect}" message="${message}">${detail(finding)}</failure>`
        : markup`<error type="unknown" message="${message}">${detail(finding)}</error>`
  return markup`    <testcase classname="${name}" name="${head.name}">${inner}</testcase>\n`
}

function verdictSuite(name: string, verdict: Verdict, failOn: FailLevel): Markup {
  const { findings, id, outcome, policy } = verdict
  const count = (mark: Mark) => findings.filter((finding) => markOf(finding, failOn) === mark).length
  const properties = [
    ['outcome', outcomeText(outcome)],
    ['policy', `${policy.family} ${policy.version}`],
    ['policyDigest', policy.digest],
    ['factsDigest', verdict.factsDigest],
    ...(id === undefined ? [] : [['verdict', id]]),
  ].map(([key, value]) => markup`      <property name="${key}" value="${value}"/>\n`)
  return markup`  <testsuite name="${name}" tests="${findings.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}" timestamp="${verdict.recordedAt ?? verdict.asOf}" time="0">
    <properties>
${properties}    </properties>
${findings.map((finding) => testCase(name, finding, failOn))}  </testsuite>\n`
}

function errorSuite(name: string, { code, message, problems }: ImagegateError): Markup {
  const text = problems
    .map((problem) => `${problem.pointer ?? problem.file ?? ''} ${problem.message}`.trim())
    .join('\n')
  return markup`  <testsuite name="${name}" tests="1" failures="0" errors="1" skipped="0" time="0">
    <testcase classname="${name}" name="imagegate"><error type="${code}" message="${errorKinds[code].title}: ${message}">${text}</error></testcase>
  </testsuite>\n`
}

/** Answers as JUnit XML: a test suite an input, a test case a rule. An input that could not be judged is one test case with an error. */
export function junitReport(answers: readonly Answer[], failOn: FailLevel): string {
  const suites = answers.map(({ place, verdict, error }) =>
    verdict === undefined ? errorSuite(nameOf(place), error) : verdictSuite(nameOf(place), verdict, failOn),
  )
  const all = answers.flatMap(({ verdict }) => verdict?.findings ?? [])
  const count = (mark: Mark) => all.filter((finding) => markOf(finding, failOn) === mark).length
  const broken = answers.filter(({ error }) => error !== undefined).length
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="imagegate" tests="${all.length + broken}" failures="${count('failure')}" errors="${count('error') + broken}" skipped="${count('skipped')}">
${suites}</testsuites>
`.text
}
