import type { Verification } from '../documents/verification.ts'
import { quoteText } from '../policy/text.ts'
import { safeText } from './escape.ts'
import { type Layout, section } from './layout.ts'
import { table } from './table.ts'
import { pad, wrap } from './wrap.ts'

type Problem = Verification['problems'][number]
type Tenant = Verification['tenants'][number]

/** So many problems are listed for people; JSON names a hundred. */
const listed = 20

const words: Readonly<Record<Verification['result'], string>> = {
  intact: 'INTACT',
  tampered: 'TAMPERED',
  undecided: 'UNDECIDED',
}

const styles = { intact: 'green', tampered: 'red', undecided: 'yellow' } as const

function meaning({ result, total, source, tenants }: Verification): string {
  if (result === 'tampered')
    return total === 1 ? 'One thing is not as it was recorded.' : `${total} things are not as they were recorded.`
  if (result === 'undecided') {
    if (source === 'database' && tenants.length === 0) return 'There is nothing in it.'
    return 'Nothing differs, but nothing that is signed with a given key says that it was ever so.'
  }
  const outside = tenants.every((one) => one.outside !== undefined)
  if (source !== 'database' || outside) return 'Everything is as it was recorded.'
  return 'Everything agrees with the signed checkpoints of the database itself; none from outside was given for every tenant.'
}

const ofRows = [
  'It is CSV: nothing but the file as a whole is compared with its manifest, and its rows were not verified one by one.',
]

function placeOf({ where, tenant, sequence, through, verdict }: Problem): string {
  const segment = through === undefined ? String(sequence) : `${sequence} to ${through}`
  return [
    where,
    ...(sequence === undefined ? [] : [`at ${segment}`]),
    ...(tenant === undefined ? [] : [`of ${quoteText(tenant)}`]),
    ...(verdict === undefined ? [] : [`verdict ${verdict}`]),
  ].join(', ')
}

function problemLines(problem: Problem, { columns }: Layout): string[] {
  const differs = problem.differs.length === 0 ? [] : [`Differs: ${problem.differs.join(', ')}.`]
  return [
    ...wrap(safeText(placeOf(problem)), columns, `  ${pad(problem.kind, 10)} `),
    ...[problem.message, ...differs].flatMap((text) => wrap(safeText(text), columns, ' '.repeat(13))),
  ]
}

function coverageOf({ notCovered, notCoveredSeconds }: Tenant): string {
  if (notCovered === 0 || notCoveredSeconds === undefined) return String(notCovered)
  return `${notCovered}, at most ${notCoveredSeconds} s old`
}

function tenantRow(one: Tenant): string[] {
  const mark = (given: Tenant['outside']) => (given === undefined ? 'none' : `${given.sequence}, ${given.at}`)
  const waits = one.unsealed === 0 ? '' : ` (${one.unsealed} wait)`
  return [
    one.tenant,
    String(one.entries),
    `${one.verdicts}${waits}`,
    mark(one.outside),
    mark(one.signed),
    coverageOf(one),
  ]
}

const heading = ['TENANT', 'ENTRIES', 'VERDICTS', 'OUTSIDE CHECKPOINT', 'SIGNED CHECKPOINT', 'NOT COVERED']

function problemsTitle({ total, counts, problems }: Verification): string {
  const kinds = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`)
  const shown = Math.min(problems.length, listed)
  const part = shown < total ? `the first ${shown} of ${total}` : String(total)
  return `Problems (${part}: ${kinds.join(', ')})`
}

/** A verification for a terminal. */
export function humanVerification(report: Verification, layout: Layout): string {
  const { paint, columns } = layout
  const [first] = report.problems
  const rows = table(heading, report.tenants.map(tenantRow), paint).trimEnd().split('\n')
  const lines = [
    paint(['bold', styles[report.result]], words[report.result]),
    ...wrap(meaning(report), columns, ''),
    ...(report.format === 'csv' ? ofRows : []).flatMap((text) => wrap(text, columns, '')),
    ...section('The first', first === undefined ? [] : problemLines(first, layout), layout),
    ...section('Checked', report.tenants.length === 0 ? [] : rows, layout),
    ...section(
      'Keys',
      report.keys.map((key) => `  ${key}`),
      layout,
    ),
    ...section(
      problemsTitle(report),
      report.total < 2 ? [] : report.problems.slice(0, listed).flatMap((one) => problemLines(one, layout)),
      layout,
    ),
  ]
  return `${lines.join('\n')}\n`
}
