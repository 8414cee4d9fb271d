import type { Verdict } from '../documents/verdict.ts'
import { quoteText } from '../policy/text.ts'
import { safeText } from './escape.ts'
import type { Layout } from './layout.ts'
import { outcomeMeaning, outcomeWord } from './outcome-text.ts'
import { systemText } from './system-text.ts'
import { pad, wrap } from './wrap.ts'

const selections = { pin: 'as pinned', asOf: 'in force at', now: 'in force now,' } as const

function policy({ policy: used, asOf }: Verdict): string {
  const when = used.selectedBy === 'pin' ? selections.pin : `${selections[used.selectedBy]} ${asOf}`
  return `${used.family} ${used.version}, ${when}`
}

function options({ importAs, systemDisk }: Verdict['options']): string {
  const type = importAs === 'none' ? 'as the system that it is' : `import as ${importAs}`
  return `${type}; system disk ${systemDisk.requested ? `of ${systemDisk.sizeBytes} bytes` : 'size not given'}`
}

/** What was judged, and by which rules: names and values, an empty name continuing the one above. Not yet safe to show. */
export function headRows(verdict: Verdict): (readonly [string, string | undefined])[] {
  const { counts, subject } = verdict
  const results = `${counts.pass} pass, ${counts.fail} fail, ${counts.unknown} unknown, ${counts.not_applicable} not applicable`
  return [
    ['Image', subject.imageName === undefined ? 'not named' : quoteText(subject.imageName)],
    ['Digest', subject.imageDigest],
    ['System', systemText(subject.osType, subject.osId, subject.osVersion)],
    ['Options', options(verdict.options)],
    ['Policy', policy(verdict)],
    ['', verdict.policy.digest],
    ['Facts', verdict.factsDigest],
    ['Verdict', verdict.id],
    ['Recorded', verdict.recordedAt],
    ['Rules', `${counts.rules}: ${results}`],
    ['Effects', `${counts.block} block, ${counts.warn} warn, ${counts.inform} inform`],
  ]
}

/** The outcome first, then what was judged and by which rules. */
export function reportHead(verdict: Verdict, { columns, paint }: Layout): string[] {
  const lines = headRows(verdict).flatMap(([name, value]) => {
    return value === undefined ? [] : wrap(safeText(value), columns, `  ${pad(name, 9)} `)
  })
  return [outcomeWord(verdict.outcome, paint), ...wrap(outcomeMeaning(verdict.outcome), columns), '', ...lines]
}
