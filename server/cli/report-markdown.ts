import type { Finding, Verdict } from '../documents/verdict.ts'
import { errorKinds, type ImagegateError } from '../errors.ts'
import { evidenceParts } from './evidence-text.ts'
import { stages } from './finding-lines.ts'
import { markdownBlock, markdownCode, markdownText } from './markdown-text.ts'
import { outcomeMeaning, outcomeText } from './outcome-text.ts'
import { type Answer, nameOf } from './report-answer.ts'
import { headRows } from './report-head.ts'
import { findingsInOrder } from './report-order.ts'
import { notPassed, waiting } from './report-tail.ts'

function section(heading: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`### ${heading}`, '', ...lines, '']
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`)
}

function remediationLines({ remediation }: Finding): string[] {
  if (remediation === undefined) return []
  const { command, shell, stage, steps } = remediation
  const language = shell === 'powershell' ? 'powershell' : 'sh'
  return [
    '',
    `   ${markdownText(stages[stage])}`,
    '',
    ...steps.map((step, index) => `   ${index + 1}. ${markdownText(step)}`),
    ...(command === undefined ? [] : ['', ...markdownBlock(command.trimEnd(), language, '   ')]),
  ]
}

function findingLines(finding: Finding): string[] {
  const { collect, effect, evidence = [], message = '', requirements, result, rule, title } = finding
  const comparisons = result === 'fail' ? evidence.map(evidenceParts) : []
  return [
    `1. **${markdownText(title)}**`,
    '',
    `   ${markdownCode(rule)} (${markdownText(requirements.join(', '))}), ${result}, effect: ${effect}`,
    '',
    `   ${markdownText(message)}`,
    ...(comparisons.length === 0 ? [] : ['']),
    ...comparisons.map(({ subject, found, wanted }) => {
      return `   - ${markdownCode(subject)} ${markdownText(found)}; ${markdownText(wanted)}`
    }),
    ...remediationLines(finding),
    ...(collect === undefined ? [] : ['', `   To collect: ${markdownText(collect)}`]),
    '',
  ]
}

function headLines(verdict: Verdict): string[] {
  const rows = headRows(verdict).flatMap(([name, value]) => {
    return value === undefined ? [] : [[markdownText(name), markdownText(value)]]
  })
  return [...table(['', ''], rows), '']
}

function missingRows({ missing }: Verdict): string[][] {
  return missing.map((fact) => {
    const reason = [fact.code, fact.reason].filter((part) => part !== undefined).join(': ')
    return [markdownCode(fact.pointer), markdownText(waiting(fact)), markdownText(reason), markdownText(fact.collect)]
  })
}

function briefLines({ findings }: Verdict): string[] {
  const quiet = findings.filter(({ result }) => result === 'pass' || result === 'not_applicable')
  if (quiet.length === 0) return []
  const lines = quiet.map(({ result, rule, title }) => {
    return `- ${markdownCode(rule)}: ${markdownText(title)} (${result === 'pass' ? 'pass' : 'not applicable'})`
  })
  return [
    '<details>',
    `<summary>${quiet.length} rules pass or do not apply</summary>`,
    '',
    ...lines,
    '',
    '</details>',
    '',
  ]
}

function verdictLines(name: string, verdict: Verdict): string[] {
  const blocking = findingsInOrder(verdict, 'block')
  const of = (result: Finding['result']) => blocking.filter((finding) => finding.result === result)
  const [warnings, notes] = [findingsInOrder(verdict, 'warn'), findingsInOrder(verdict, 'inform')]
  const alternatives = verdict.alternatives.map((one) => {
    return `- ${markdownCode(`--import-as ${one.importAs}`)}: ${outcomeText(one.outcome)}; ${markdownText(notPassed(one))}`
  })
  const parameters = Object.entries(verdict.importParameters).map(([key, value]) => [
    markdownCode(key),
    markdownCode(String(value)),
  ])
  return [
    `## ${outcomeText(verdict.outcome)}: ${markdownText(name)}`,
    '',
    markdownText(outcomeMeaning(verdict.outcome)),
    '',
    ...headLines(verdict),
    ...section(`To mend, in this order (${of('fail').length})`, of('fail').flatMap(findingLines)),
    ...section(`Undetermined (${of('unknown').length})`, of('unknown').flatMap(findingLines)),
    ...section(
      `Facts to collect (${verdict.missing.length})`,
      table(['Fact', 'Rules', 'Why it is missing', 'How to collect it'], missingRows(verdict)),
    ),
    ...section(`Warnings (${warnings.length})`, warnings.flatMap(findingLines)),
    ...section(`Notes (${notes.length})`, notes.flatMap(findingLines)),
    ...section('Alternatives', alternatives),
    ...section('Import parameters', table(['Parameter', 'Value'], parameters)),
    ...briefLines(verdict),
  ]
}

function errorLines(name: string, { code, message, problems }: ImagegateError): string[] {
  return [
    `## COULD NOT RUN: ${markdownText(name)}`,
    '',
    `${markdownCode(code)}: ${errorKinds[code].title}. ${markdownText(message)}`,
    '',
    ...problems.map((one) => `- ${markdownText([one.pointer, one.message].filter(Boolean).join(': '))}`),
    ...(problems.length === 0 ? [] : ['']),
    errorKinds[code].mend,
    '',
  ]
}

/** Answers as GitHub-flavoured Markdown: the outcome first, then what to do in the order to do it. */
export function markdownReport(answers: readonly Answer[]): string {
  const lines = answers.flatMap(({ place, verdict, error }) =>
    verdict === undefined ? errorLines(nameOf(place), error) : verdictLines(nameOf(place), verdict),
  )
  return `${lines.join('\n').trimEnd()}\n`
}
