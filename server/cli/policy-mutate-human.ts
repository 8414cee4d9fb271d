import type { MutationReport, Stale, Survivor } from '../authoring/mutate-policy.ts'
import { safeText } from './escape.ts'
import { type Layout, section } from './layout.ts'
import { suggestedLines } from './policy-case-text.ts'
import { wrap } from './wrap.ts'

/** Why there is no case to suggest. */
const hopeless = {
  none: 'No document of the family tells it apart by a result, an effect or a text: it seems to be equivalent.',
  undecided: 'No case was found that kills it; there was too much to try to say that there is none.',
} as const

function survivorLines(file: string, { mutant, line, suggestion }: Survivor, { columns, paint }: Layout): string[] {
  const head = wrap(
    safeText(`${mutant.rule} ${mutant.name}`),
    columns,
    `${paint('bold', safeText(`${file}:${line}`))}  `,
  )
  if (suggestion === undefined) return head
  if (suggestion.status !== 'found') return [...head, ...wrap(hopeless[suggestion.status], columns, '    ')]
  return [
    ...head,
    '    This case would kill it:',
    ...suggestedLines(suggestion.suggested).map((text) => `      ${text}`),
  ]
}

/** Why an entry must go. */
export function staleText({ why, by }: Stale): string {
  if (why === 'killed') return `it is killed by ${by?.file}:${by?.line} ${by?.one.name}`
  return why === 'twice' ? 'it is listed twice' : 'there is no such mutant'
}

function staleLines(stale: Stale, { columns, paint }: Layout): string[] {
  const { file, line, rule, name } = stale.equivalent
  return wrap(
    safeText(`${rule} ${name}: ${staleText(stale)}`),
    columns,
    `${paint('bold', safeText(`${file}:${line}`))}  `,
  )
}

/** One policy's mutants for people: survivors with the cases that would kill them, stale entries, and the sum. */
export function mutationReport(
  { policy, mutants, killed, equivalent, survivors, stale }: MutationReport,
  layout: Layout,
): string {
  const { paint } = layout
  const alive = survivors.length === 0 ? paint('green', 'none survives') : paint('red', `${survivors.length} survive`)
  const sum = [`${mutants} mutants`, `${killed} killed`, `${equivalent} equivalent`, alive]
  const file = `${policy.family}/${policy.version}.yaml`
  const lines = [
    `${paint('bold', `${policy.family} ${policy.version}`)}: ${sum.join(', ')}`,
    ...section(
      `Survivors (${survivors.length})`,
      survivors.flatMap((one) => survivorLines(file, one, layout)),
      layout,
    ),
    ...section(
      `Not equivalent any more (${stale.length})`,
      stale.flatMap((one) => staleLines(one, layout)),
      layout,
    ),
    ...(survivors.length + stale.length === 0 ? [] : ['']),
  ]
  return `${lines.join('\n')}\n`
}
