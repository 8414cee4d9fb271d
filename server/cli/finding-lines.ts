import type { Finding, Remediation } from '../documents/verdict.ts'
import { safeLines, safeText } from './escape.ts'
import { evidenceText } from './evidence-text.ts'
import type { Layout } from './layout.ts'
import { wrap } from './wrap.ts'

/** Where the work of a remediation is done, as the head of its steps. */
export const stages = {
  guest: 'In the guest:',
  disk: 'On the disk, from outside the guest:',
  container: 'On the image file:',
  request: 'In the import request, or by choosing another image:',
} as const

/** The shell of a command, for people. */
export const shells = { posix: 'POSIX shell', powershell: 'PowerShell' } as const
const verbs = { block: 'blocks', warn: 'warns', inform: 'informs', none: '' } as const
const indent = '    '

function evidenceLines(finding: Finding, columns: number): string[] {
  const leaves = finding.evidence ?? []
  return leaves.length === 0
    ? []
    : [
        `${indent}Evidence, the comparisons that decided it:`,
        ...leaves.flatMap((leaf) => wrap(evidenceText(leaf), columns, `${indent}  - `)),
      ]
}

/** Commands stand at the left margin, unwrapped, so that they can be copied as they are. */
function remediationLines({ stage, steps, command, shell }: Remediation, { columns, paint }: Layout): string[] {
  const numbered = steps.flatMap((step, index) => wrap(safeText(step), columns, `${indent}  ${index + 1}. `))
  if (command === undefined) return [`${indent}${stages[stage]}`, ...numbered]
  const lines = safeLines(command.trimEnd()).split('\n')
  const title = `${indent}Command${shell === undefined ? '' : ` (${shells[shell]})`}:`
  return [`${indent}${stages[stage]}`, ...numbered, title, '', ...lines.map((line) => paint('cyan', line))]
}

function heading({ effect, requirements, rule, title }: Finding, lead: string, { columns, paint }: Layout): string[] {
  const verb = verbs[effect] === '' ? '' : `, ${verbs[effect]}`
  const name = `${safeText(rule)} (${requirements.map(safeText).join(', ')})${verb}`
  return [`${lead}${paint('bold', name)}`, ...wrap(safeText(title), columns, indent)]
}

/** A failed finding: what was found, why, and what to do in which order. */
export function failureLines(finding: Finding, lead: string, layout: Layout): string[] {
  const { columns } = layout
  return [
    ...heading(finding, lead, layout),
    ...wrap(safeText(finding.message ?? ''), columns, indent),
    ...evidenceLines(finding, columns),
    ...(finding.remediation === undefined ? [] : remediationLines(finding.remediation, layout)),
    '',
  ]
}

/** An unknown finding: what is missing and how to collect it. */
export function unknownLines(finding: Finding, lead: string, layout: Layout): string[] {
  const { columns, verbose } = layout
  return [
    ...heading(finding, lead, layout),
    ...wrap(safeText(finding.message ?? ''), columns, indent),
    ...(verbose ? evidenceLines(finding, columns) : []),
    ...wrap(safeText(finding.collect ?? ''), columns, `${indent}To collect: `),
    '',
  ]
}

/** Findings that did not matter to the outcome, a line each. */
export function briefLines(findings: readonly Finding[], { columns }: Layout): string[] {
  return findings.flatMap(({ message, rule, title }) => {
    const text = message === undefined || message === '' ? title : message
    return wrap(`${safeText(rule)}: ${safeText(text)}`, columns, '  ')
  })
}
