import type { Rule } from '../documents/policy.ts'
import type { ReleasedPolicy } from '../policy/set.ts'
import { safeText } from './escape.ts'
import { type Layout, section } from './layout.ts'
import { table } from './table.ts'
import { pad, wrap } from './wrap.ts'

function shownValue(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : String(value)
}

function headRows({ family, version, effectiveFrom, digest, withdrawn }: ReleasedPolicy): [string, string][] {
  const rows: [string, string][] = [
    ['Policy', `${family} ${version}`],
    ['In force', `from ${effectiveFrom}`],
    ['Digest', digest],
  ]
  return withdrawn === undefined ? rows : [...rows, ['Withdrawn', `${withdrawn.at}: ${withdrawn.reason}`]]
}

function parameterLines({ policy }: ReleasedPolicy, { columns, paint }: Layout): string[] {
  return Object.entries(policy.parameters).flatMap(([name, { value, unit, provenance }]) => [
    `  ${paint('bold', safeText(name))} = ${safeText(shownValue(value))} (${safeText(unit)})`,
    ...wrap(safeText(provenance), columns, '      '),
  ])
}

function detailLines(rule: Rule, { columns, paint }: Layout): string[] {
  const { id, title, requirements, effect, source, interpretation, collect } = rule
  const { document, revision, section: part } = source
  return [
    `  ${paint('bold', safeText(id))} (${safeText(requirements.join(', '))}), fail: ${effect.fail}, unknown: ${effect.unknown}`,
    ...wrap(safeText(title), columns, '    '),
    ...wrap(safeText(`${document}, ${revision}, ${part}`), columns, '    Source: '),
    ...(interpretation === undefined ? [] : wrap(safeText(interpretation), columns, '    Reading: ')),
    ...wrap(safeText(collect), columns, '    To collect: '),
    '',
  ]
}

function ruleTable(rules: readonly Rule[], { paint }: Layout): string[] {
  const rows = rules.map(({ id, requirements, effect, title }) => {
    return [id, requirements.join(' '), effect.fail, effect.unknown, title]
  })
  return table(['RULE', 'REQUIREMENTS', 'FAIL', 'UNKNOWN', 'TITLE'], rows, paint).trimEnd().split('\n')
}

/** A policy for people: what it is, its parameters, and its rules as a table, or each in full with verbose. */
export function policyReport(released: ReleasedPolicy, layout: Layout): string {
  const { columns, paint, verbose } = layout
  const { rules } = released.policy
  const shown = verbose ? rules.flatMap((rule) => detailLines(rule, layout)).slice(0, -1) : ruleTable(rules, layout)
  const all = [
    paint('bold', safeText(released.policy.title)),
    '',
    ...headRows(released).flatMap(([name, value]) => wrap(safeText(value), columns, `  ${pad(name, 9)} `)),
    ...section('Parameters', parameterLines(released, layout), layout),
    ...section(`Rules (${rules.length})`, shown, layout),
  ]
  return `${all.join('\n')}\n`
}
