import { outcomes } from '../authoring/impact-compare.ts'
import type { ChangedVerdict, PolicyImpact, RuleState } from '../documents/policy-impact.ts'
import { quoteText } from '../policy/text.ts'
import { safeText } from './escape.ts'
import { type Layout, section } from './layout.ts'
import { markdownText } from './markdown-text.ts'
import { outcomeText } from './outcome-text.ts'
import { table } from './table.ts'
import { pad, wrap } from './wrap.ts'

/** So many changed verdicts are listed for people; JSON has them all. */
export const listed = 20

interface Part {
  readonly title: string
  readonly heading: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

type Row = readonly [name: string, value: string]

function share(part: number, whole: number): string {
  if (whole === 0) return ''
  const percent = (part * 100) / whole
  return ` (${percent > 0 && percent < 0.1 ? 'below 0.1' : percent.toFixed(1)} %)`
}

function selectionText({ from, to, tenant, sample, seed }: PolicyImpact['selection']): string {
  const parts = [
    from === undefined ? undefined : `from ${from}`,
    to === undefined ? undefined : `to ${to}`,
    tenant === undefined ? undefined : `tenant ${quoteText(tenant)}`,
    sample === undefined ? undefined : `a sample of ${sample} (seed ${seed})`,
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? 'all' : parts.join(', ')
}

function thresholdText({ allowed, exceeded }: PolicyImpact['threshold']): string {
  return exceeded ? `more than the allowed ${allowed}` : `within the allowed ${allowed}`
}

function headRows({ candidate, baseline, counts, selection, source, judgedBy, threshold }: PolicyImpact): Row[] {
  const { found, sampled, skipped, replayed, changed, notReplayed } = counts
  const skips = skipped === 0 ? '' : `, ${skipped} of another family or outside the selection`
  const before = judgedBy.map(({ version, count }) => `${version} (${count})`).join(', ')
  return [
    ['Candidate', `${candidate.family} ${candidate.version}`],
    ['', candidate.digest],
    ...(baseline === undefined ? [] : [['Baseline', `${baseline.family} ${baseline.version}`] as const]),
    ['Records', `${selectionText(selection)}; of the ${source}: ${found} found, ${sampled} looked at${skips}`],
    ['Replayed', `${replayed}${notReplayed === 0 ? '' : `, ${notReplayed} could not be`}`],
    ...(before === '' ? [] : [['Judged by', before] as const]),
    ['Changed', `${changed}${share(changed, replayed)}, ${thresholdText(threshold)}`],
  ]
}

function headline({ candidate, counts }: PolicyImpact): string {
  const { changed, replayed } = counts
  const { family, version } = candidate
  const what = replayed === 1 ? '1 replayed verdict' : `${replayed} replayed verdicts`
  const verb = changed === 1 ? 'changes its outcome' : 'change their outcome'
  return `Impact of ${family} ${version}: ${changed} of ${what} ${verb}`
}

function matrix(report: PolicyImpact): Part {
  const seen = outcomes.filter((one) => report.outcomes.some(({ from, to }) => from === one || to === one))
  const cell = (from: string, to: string) => {
    const count = report.outcomes.find((one) => one.from === from && one.to === to)?.count ?? 0
    return count === 0 ? '.' : String(count)
  }
  return {
    title: 'Outcomes, then and under the candidate',
    heading: ['THEN', ...seen.map(outcomeText)],
    rows: seen.map((from) => [outcomeText(from), ...seen.map((to) => cell(from, to))]),
  }
}

function stateText(state: RuleState | undefined, absent: string): string {
  if (state === undefined) return absent
  return state.effect === 'none' ? state.result : `${state.result}, ${state.effect}`
}

function ruleRows(rules: PolicyImpact['rules']): string[][] {
  return rules.map(({ rule, from, to, verdicts, decisive }) => {
    return [rule, stateText(from, 'no rule'), stateText(to, 'no rule'), String(verdicts), String(decisive)]
  })
}

function rulesText(rules: readonly string[]): string {
  return rules.length <= 3 ? rules.join(', ') : `${rules.slice(0, 3).join(', ')} and ${rules.length - 3} more`
}

function nameOf({ verdict, line }: ChangedVerdict): string {
  return verdict ?? `line ${line}`
}

function changedRow(one: ChangedVerdict): string[] {
  const { imageName, imageDigest, from, to, rules } = one
  const image = imageName === undefined ? (imageDigest ?? 'not named') : quoteText(imageName)
  return [nameOf(one), outcomeText(from), outcomeText(to), rulesText(rules), image]
}

function changedTitle({ counts, changed }: PolicyImpact): string {
  const { changed: all } = counts
  return changed.length < all ? `Changed verdicts (${changed.length} of ${all}; JSON has them all)` : 'Changed verdicts'
}

const reasons: Readonly<Record<PolicyImpact['notReplayed'][number]['reason'], string>> = {
  facts_expired: 'the facts were removed by retention, or are not in the export',
  facts_missing: 'the record lacks its facts',
  facts_invalid: "the facts do not fit today's schema",
  facts_differ: 'the facts are not those of the verdict',
  record_unreadable: 'the verdict cannot be read',
  line_unreadable: 'the line cannot be read',
}

function notReplayedRow({ reason, count, example }: PolicyImpact['notReplayed'][number]): string[] {
  const { verdict, line, detail } = example
  const where = verdict ?? `line ${line}`
  return [String(count), reasons[reason], detail === undefined ? where : `${where}: ${detail}`]
}

function parts(report: PolicyImpact): Part[] {
  const heading = ['RULE', 'THEN', 'NOW', 'VERDICTS', 'DECIDED']
  const rows = report.changed.map(changedRow)
  return [
    matrix(report),
    { title: 'Rules that say something else', heading, rows: ruleRows(report.rules) },
    { title: changedTitle(report), heading: ['VERDICT', 'THEN', 'NOW', 'DECIDED BY', 'IMAGE'], rows },
    {
      title: 'Not replayed',
      heading: ['RECORDS', 'REASON', 'THE FIRST'],
      rows: report.notReplayed.map(notReplayedRow),
    },
  ].filter(({ rows }) => rows.length > 0)
}

/** A report, of whose changed verdicts the first stand in it, for a terminal. */
export function humanImpact(report: PolicyImpact, layout: Layout): string {
  const { columns, paint } = layout
  const head = headRows(report).flatMap(([name, value]) => wrap(safeText(value), columns, `  ${pad(name, 10)} `))
  const body = parts(report).flatMap(({ title, heading, rows }) =>
    section(title, table(heading, rows, paint).trimEnd().split('\n'), layout),
  )
  return `${[paint('bold', headline(report)), '', ...head, ...body].join('\n')}\n`
}

function markdownTable({ title, heading, rows }: Part): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(markdownText).join(' | ')} |`
  return [
    '',
    `#### ${markdownText(title)}`,
    '',
    line(heading),
    `|${' --- |'.repeat(heading.length)}`,
    ...rows.map(line),
  ]
}

/** The same for a comment on a pull request. */
export function markdownImpact(report: PolicyImpact): string {
  const head = headRows(report).filter(([name]) => name !== '')
  const lines = head.map(([name, value]) => `- ${markdownText(name)}: ${markdownText(value)}`)
  return `${[`### ${markdownText(headline(report))}`, '', ...lines, ...parts(report).flatMap(markdownTable)].join('\n')}\n`
}
