import type { PolicyDiff } from '../documents/policy-diff.ts'
import { markdownCode, markdownText } from './markdown-text.ts'
import {
  changeMeaning,
  changeText,
  countsText,
  judgedText,
  optionText,
  valueText,
  versionText,
  witnessesOf,
} from './policy-diff-text.ts'

type RuleDiff = PolicyDiff['rules'][number]

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`)
}

function witnessLines(rule: RuleDiff): string[] {
  return witnessesOf(rule).flatMap(([direction, witness]) => {
    const options = optionText(witness)
    const { base, changes, before, after } = witness
    const rows = changes.map((change) => [
      markdownCode(change.pointer),
      markdownCode(valueText(change.from)),
      markdownCode(valueText(change.to)),
    ])
    return [
      '',
      `**${direction}**: ${markdownCode(base)}${options === '' ? '' : ` with ${markdownCode(options)}`}${rows.length === 0 ? ' as it is' : ', changed'}`,
      '',
      ...table(['member', 'from', 'to'], rows),
      ...(rows.length === 0 ? [] : ['']),
      `- before: ${markdownText(judgedText(before))}`,
      `- after: ${markdownText(judgedText(after))}`,
    ]
  })
}

function ruleLines(rule: RuleDiff): string[] {
  const { change, members, reason } = rule
  const detail = [
    ...(members.length === 0 ? [] : ['', `Differs in ${members.map(markdownCode).join(', ')}.`]),
    ...(reason === undefined ? [] : ['', `Undecided: ${markdownText(reason)}.`]),
    ...witnessLines(rule),
  ]
  return detail.length === 0
    ? []
    : ['', `#### ${markdownCode(rule.rule)}: ${change}, ${changeMeaning[change]}`, ...detail]
}

/** A diff as Markdown for a comment on a pull request; whatever the policies say shows as text and does nothing. */
export function markdownDiff(diff: PolicyDiff): string {
  const { before, after, rules, parameters, members } = diff
  const ruleRows = rules.map(({ rule, change, bump }) => [markdownCode(rule), change, bump])
  const otherRows = [
    ...parameters.map((one) => [markdownCode(one.name), one.bump, markdownCode(changeText(one))]),
    ...members.map((one) => [one.member, one.bump, one.member === 'order' ? '' : markdownCode(changeText(one))]),
  ]
  const lines = [
    `### Policy ${markdownCode(before.name)} → ${markdownCode(after.name)}`,
    '',
    `${diff.enough ? '' : '**Version too small.** '}${markdownText(versionText(diff))} Rules: ${countsText(diff)}.`,
    ...(ruleRows.length === 0 ? [] : ['', ...table(['rule', 'change', 'version'], ruleRows)]),
    ...(otherRows.length === 0 ? [] : ['', ...table(['parameter or member', 'version', 'value'], otherRows)]),
    ...rules.flatMap(ruleLines),
  ]
  return `${lines.join('\n')}\n`
}
