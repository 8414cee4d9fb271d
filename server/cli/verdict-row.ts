import type { VerdictSummary } from '../audit/store.ts'
import { quoteText } from '../policy/text.ts'
import type { Paint } from './colour.ts'
import { safeText } from './escape.ts'
import { outcomeWord } from './outcome-text.ts'
import { systemText } from './system-text.ts'
import { pad, widthOf } from './wrap.ts'

// Fixed, so that a list of any length can be written as it is read.
const widths = { id: 36, recordedAt: 24, outcome: 19, policy: 24 } as const

/** The heading of a list of verdicts. */
export const verdictRowHeading = [
  pad('VERDICT', widths.id),
  pad('RECORDED', widths.recordedAt),
  pad('OUTCOME', widths.outcome),
  pad('POLICY', widths.policy),
  'IMAGE, SYSTEM',
].join('  ')

/** A verdict in a line of a list. */
export function verdictRow(row: VerdictSummary, paint: Paint): string {
  const outcome = safeText(row.outcome)
  const plain = outcomeWord(outcome, (_, text) => text)
  const image = row.imageName === null ? 'not named' : quoteText(row.imageName)
  return [
    pad(safeText(row.id), widths.id),
    pad(safeText(row.recordedAt), widths.recordedAt),
    outcomeWord(outcome, paint) + ' '.repeat(Math.max(0, widths.outcome - widthOf(plain))),
    pad(safeText(`${row.family} ${row.policyVersion}`), widths.policy),
    safeText(`${image}, ${systemText(row.osType, row.osId, row.osVersion)}`),
  ].join('  ')
}
