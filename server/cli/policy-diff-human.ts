import type { PolicyDiff } from '../documents/policy-diff.ts'
import { safeText } from './escape.ts'
import { type Layout, section } from './layout.ts'
import {
  changeMeaning,
  changeText,
  countsText,
  judgedText,
  optionText,
  versionText,
  witnessesOf,
} from './policy-diff-text.ts'
import { table } from './table.ts'
import { wrap } from './wrap.ts'

type RuleDiff = PolicyDiff['rules'][number]

function witnessLines(rule: RuleDiff, { paint, columns }: Layout): string[] {
  return witnessesOf(rule).flatMap(([direction, witness]) => {
    const options = optionText(witness)
    const { base, changes, before, after } = witness
    return [
      `    ${paint('bold', direction)}: ${safeText(base)}${options === '' ? '' : ` ${options}`}${changes.length === 0 ? ' as it is' : ' with'}`,
      ...changes.flatMap((change) => wrap(safeText(`${change.pointer}: ${changeText(change)}`), columns, '      ')),
      ...wrap(judgedText(before), columns, '      before: '),
      ...wrap(judgedText(after), columns, '      after:  '),
    ]
  })
}

function ruleLines(rule: RuleDiff, layout: Layout): string[] {
  const { paint, columns } = layout
  const { change, bump, members, reason } = rule
  const title = `${paint('bold', safeText(rule.rule))}: ${change} (${bump}), ${changeMeaning[change]}`
  return [
    `  ${title}`,
    ...(members.length === 0 ? [] : wrap(safeText(members.join(', ')), columns, '    differs in: ')),
    ...(reason === undefined ? [] : wrap(safeText(reason), columns, '    because: ')),
    ...witnessLines(rule, layout),
  ]
}

/** A diff for people. Each witness is told as what to change in which document. */
export function humanDiff(diff: PolicyDiff, layout: Layout): string {
  const { before, after, rules, parameters, members } = diff
  const { paint } = layout
  const parameterRows = parameters.map((one) => [one.name, one.bump, one.rules.join(' '), changeText(one)])
  const memberRows = members.map((one) => [one.member, one.bump, one.member === 'order' ? '' : changeText(one)])
  const rows = (heading: readonly string[], all: readonly (readonly string[])[]) =>
    all.length === 0 ? [] : table(heading, all, paint).trimEnd().split('\n')
  const lines = [
    paint('bold', safeText(`${before.name} → ${after.name}: ${countsText(diff)}`)),
    versionText(diff),
    ...section(
      `Rules (${rules.length})`,
      rules.flatMap((rule) => [...ruleLines(rule, layout), '']).slice(0, -1),
      layout,
    ),
    ...section('Parameters', rows(['PARAMETER', 'BUMP', 'RULES', 'VALUE'], parameterRows), layout),
    ...section('Other members', rows(['MEMBER', 'BUMP', 'VALUE'], memberRows), layout),
  ]
  return lines.map((line) => `${line}\n`).join('')
}
