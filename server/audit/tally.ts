import { strictAjv } from '../validators.ts'
import type { RecordedVerdict } from './store.ts'
import type { DailyCountRow } from './tables.ts'

/** The part of a verdict that is counted. */
type Countable = Pick<RecordedVerdict, 'recordedAt' | 'outcome'> & {
  readonly policy: Pick<RecordedVerdict['policy'], 'family'>
  readonly findings: readonly Pick<RecordedVerdict['findings'][number], 'rule' | 'result'>[]
  readonly missing: readonly Pick<RecordedVerdict['missing'][number], 'pointer'>[]
}

const text = { type: 'string' }

function object(properties: Readonly<Record<string, unknown>>) {
  return { type: 'object', properties, required: Object.keys(properties) }
}

const isCountable = strictAjv(false).compile<Countable>(
  object({
    recordedAt: text,
    outcome: text,
    policy: object({ family: text }),
    findings: { type: 'array', items: object({ rule: text, result: text }) },
    missing: { type: 'array', items: object({ pointer: text }) },
  }),
)

type Tally = readonly [day: string, family: string, counted: readonly (readonly [result: string, subject: string])[]]

/**
 * What a verdict adds to the counts of its day, as one text: equal texts are added up before they are read. Its members
 * are the day in UTC, the policy family, and the pairs of a result and what it is of.
 */
export function tallyOf({ recordedAt, policy, outcome, findings, missing }: Countable): string {
  const tally: Tally = [
    recordedAt.slice(0, 10),
    policy.family,
    [
      [outcome, ''],
      ...findings.map(({ result, rule }) => [result, rule] as const),
      ...missing.map(({ pointer }) => ['missing', pointer] as const),
    ],
  ]
  return JSON.stringify(tally)
}

/** The same of a stored verdict's body; undefined for one that cannot be read, which verification then names. */
export function tallyOfBody(body: string): string | undefined {
  try {
    const verdict: unknown = JSON.parse(body)
    return isCountable(verdict) ? tallyOf(verdict) : undefined
  } catch {
    return undefined
  }
}

/** Tallies that are held before they are added up, so that memory does not grow with their number. */
const held = 1000

/** Adds up tallies to rows of daily_counts. */
export class DailyCounts {
  readonly #tallies = new Map<string, Map<string, number>>()
  readonly #rows = new Map<string, DailyCountRow>()

  /** Counts one verdict of a tenant. */
  add(tenant: string, tally: string): void {
    const tallies = this.#tallies.get(tenant) ?? new Map<string, number>()
    this.#tallies.set(tenant, tallies)
    tallies.set(tally, (tallies.get(tally) ?? 0) + 1)
    if (tallies.size > held) this.#addUp()
  }

  /** What was counted, and begins anew. */
  take(): readonly DailyCountRow[] {
    this.#addUp()
    const rows = [...this.#rows.values()]
    this.#rows.clear()
    return rows
  }

  #addUp(): void {
    if (this.#tallies.size === 0) return
    for (const [tenant, tallies] of this.#tallies) {
      for (const [tally, verdicts] of tallies) {
        const [day, family, counted]: Tally = JSON.parse(tally)
        for (const [result, subject] of counted) this.#addRow({ tenant, result, day, subject, family, verdicts })
      }
    }
    this.#tallies.clear()
  }

  #addRow(row: DailyCountRow): void {
    const key = dailyCountKey(row)
    const before = this.#rows.get(key)
    this.#rows.set(key, before === undefined ? row : { ...row, verdicts: before.verdicts + row.verdicts })
  }
}

/** A row's key as one text; the subject, which alone may hold anything, stands last. */
export function dailyCountKey({ tenant, result, day, family, subject }: DailyCountRow): string {
  return `${tenant}\t${result}\t${day}\t${family}\t${subject}`
}
