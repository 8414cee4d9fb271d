import type { Difference, RanCase } from '../authoring/cases.ts'
import { type Coverage, type Gap, type PolicyReport, percentOf } from '../authoring/test-policy.ts'
import { safeText } from './escape.ts'
import { type Layout, section } from './layout.ts'
import { changeLines } from './policy-case-text.ts'
import { wrap } from './wrap.ts'

/** The longest beginning of a text that occurs in another: where the two part. */
function commonPart(expected: string, got: string): number {
  let length = expected.length
  while (length > 0 && !got.includes(expected.slice(0, length))) length -= 1
  return length
}

function messageLines(rule: string, expected: string, got: string, { paint, columns }: Layout): string[] {
  const common = commonPart(expected, got)
  const texts = got === '' ? ['(it says nothing: it passes)'] : got.trimEnd().split('\n')
  return [
    `${safeText(rule)} does not say`,
    ...wrap(safeText(expected), columns, paint('green', '  - ')),
    ...(common === 0 || common === expected.length
      ? []
      : wrap(safeText(expected.slice(common)), columns, '    it parts before: ')),
    ...texts.flatMap((text) => wrap(safeText(text), columns, paint('red', '  + '))),
  ]
}

/** One difference as lines: what was expected, what was got. */
export function differenceLines(difference: Difference, layout: Layout): string[] {
  switch (difference.kind) {
    case 'result':
      return [`${safeText(difference.rule)}: expected ${difference.expected}, got ${difference.got}`]
    case 'unchanged':
      return [`${safeText(difference.rule)}: is ${difference.got} in the base already; name only what changes`]
    case 'outcome':
      return [`outcome: expected ${difference.expected}, got ${difference.got}`]
    case 'message':
      return messageLines(difference.rule, difference.expected, difference.got, layout)
    case 'broken':
      return wrap(safeText(difference.reason), layout.columns, 'it cannot be run: ')
  }
}

function caseLines({ case: one, differences }: RanCase, layout: Layout): string[] {
  const { paint } = layout
  const head = `${paint('bold', safeText(`${one.file}:${one.line}`))}  ${safeText(one.one.name)}`
  return [
    head,
    ...differences.flatMap((difference) => differenceLines(difference, layout)).map((line) => `  ${line}`),
    '',
  ]
}

function gapText({ rule, leaf, missing }: Gap): string {
  return leaf === undefined ? `${rule} is never ${missing}` : `${rule}: ${leaf} is never ${missing}`
}

function gapLines(file: string, gap: Gap, { columns, paint }: Layout): string[] {
  const shown = gap.change === undefined ? [] : changeLines(gap.change).map((line) => `      ${line}`)
  return [...wrap(safeText(gapText(gap)), columns, `${paint('bold', safeText(`${file}:${gap.line}`))}  `), ...shown]
}

function coverageText(coverage: Coverage): string {
  const { rules, leaves, possible, covered, impossible } = coverage
  const never = impossible.length === 0 ? '' : `, ${impossible.length} cannot be`
  return `${percentOf(coverage)} % (${rules} rules, ${leaves} conditions: ${covered} of ${possible}${never})`
}

/** One policy's cases for people: each difference, what is not covered with a document that would cover it, and the sum. */
export function testReport({ policy, ran, coverage }: PolicyReport, layout: Layout): string {
  const { paint, verbose } = layout
  const name = `${policy.family} ${policy.version}`
  const failed = ran.filter(({ differences }) => differences.length > 0)
  const file = `${policy.family}/${policy.version}.yaml`
  const sum = [
    `${ran.length} cases`,
    failed.length === 0 ? paint('green', 'all hold') : paint('red', `${failed.length} do not hold`),
    `coverage ${coverageText(coverage)}`,
  ]
  const impossible = verbose ? coverage.impossible.flatMap((gap) => gapLines(file, gap, layout)) : []
  const lines = [
    `${paint('bold', name)}: ${sum.join(', ')}`,
    ...section(
      `Cases that do not hold (${failed.length})`,
      failed.flatMap((one) => caseLines(one, layout)).slice(0, -1),
      layout,
    ),
    ...section(
      `Not covered (${coverage.gaps.length})`,
      coverage.gaps.flatMap((gap) => gapLines(file, gap, layout)),
      layout,
    ),
    ...section(`Cannot be, whatever the document says (${coverage.impossible.length})`, impossible, layout),
    ...(failed.length + coverage.gaps.length + impossible.length === 0 ? [] : ['']),
  ]
  return `${lines.join('\n')}\n`
}
