import { ImagegateError } from '../errors.ts'

/** Days that are counted, in UTC, and of which verdicts. */
export interface StatisticsPeriod {
  /** The first day, YYYY-MM-DD. */
  readonly from: string
  /** The day after the last one. */
  readonly to: string
  /** Of this policy family alone. */
  readonly family?: string
}

/** How many sealed verdicts of a day have a result. */
export interface DayCount {
  /** YYYY-MM-DD, in UTC. */
  readonly day: string
  readonly result: string
  readonly verdicts: number
}

/** How many sealed verdicts have the result that was asked for, of a rule or of a fact. */
export interface SubjectCount {
  /** Id of a rule, or pointer of a missing fact. */
  readonly subject: string
  readonly verdicts: number
}

/** Counts of sealed verdicts by day. What is not sealed yet is counted soon after; what is sealed is never uncounted. */
export interface StatisticsReader {
  /**
   * Of each day the outcomes of verdicts, or the results of one rule, or how many miss one fact; by day and result. Days
   * without any are left out.
   */
  countsByDay(tenant: string, period: StatisticsPeriod, subject: string): Promise<readonly DayCount[]>
  /** At most limit (1 to 500) rules with a result, or facts that are 'missing': the most frequent first. */
  mostFrequent(
    tenant: string,
    period: StatisticsPeriod,
    result: string,
    limit: number,
  ): Promise<readonly SubjectCount[]>
}

/** Whose counts are the outcomes of verdicts. */
const outcomeSubject = ''

/** A period as it is asked for: what is left out has a default. */
export interface AskedPeriod {
  /** YYYY-MM-DD; 30 days before `to` when left out. */
  readonly from?: string | undefined
  /** YYYY-MM-DD; the day after today when left out. */
  readonly to?: string | undefined
  readonly family?: string | undefined
}

/** Results by day: outcomes of all verdicts, or results of one rule, or 'missing' of one fact. */
export interface DayStatistics {
  readonly from: string
  readonly to: string
  /** Days that have any, oldest first; how many verdicts have each result. */
  readonly days: readonly { readonly day: string; readonly results: Readonly<Record<string, number>> }[]
}

/** What is most frequent among the verdicts of a period. */
export interface FrequencyStatistics {
  readonly from: string
  readonly to: string
  /** All sealed verdicts of the period. */
  readonly verdicts: number
  /** The most frequent first. */
  readonly counts: readonly SubjectCount[]
}

const dayMilliseconds = 86_400_000
const defaultDays = 30
/** A leap year. */
const longestDays = 366

function dayOf(text: string): number {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  // Date.parse turns 30 February into 2 March.
  if (Number.isNaN(time) || textOf(time) !== text) {
    throw new ImagegateError('OPTION_INVALID', 'A day is not a date, YYYY-MM-DD.')
  }
  return time
}

function textOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

/** The period that is meant. Throws OPTION_INVALID when it is no date, ends before it begins or is longer than 366 days. */
export function periodOf({ from, to, family }: AskedPeriod, now: Date): StatisticsPeriod {
  const end = to === undefined ? dayOf(textOf(now.getTime())) + dayMilliseconds : dayOf(to)
  const begin = from === undefined ? end - defaultDays * dayMilliseconds : dayOf(from)
  const days = (end - begin) / dayMilliseconds
  if (days < 1 || days > longestDays) {
    const found = `From ${textOf(begin)} to before ${textOf(end)} are ${days} days`
    throw new ImagegateError('OPTION_INVALID', `${found}; ask for 1 to ${longestDays}.`)
  }
  return { from: textOf(begin), to: textOf(end), ...(family !== undefined && { family }) }
}

/** Results of a period by day, of a rule or of a missing fact, or else the outcomes. Rejects as the reader does. */
export async function dayStatistics(
  reader: StatisticsReader,
  tenant: string,
  period: StatisticsPeriod,
  subject: string = outcomeSubject,
): Promise<DayStatistics> {
  const results = new Map<string, Record<string, number>>()
  for (const { day, result, verdicts } of await reader.countsByDay(tenant, period, subject)) {
    results.set(day, { ...results.get(day), [result]: verdicts })
  }
  return { from: period.from, to: period.to, days: [...results].map(([day, results]) => ({ day, results })) }
}

/** The rules that have a result most often, or the facts that are most often 'missing'. Rejects as the reader does. */
export async function frequencyStatistics(
  reader: StatisticsReader,
  tenant: string,
  period: StatisticsPeriod,
  { result, limit }: { readonly result: string; readonly limit: number },
): Promise<FrequencyStatistics> {
  const [days, counts] = await Promise.all([
    reader.countsByDay(tenant, period, outcomeSubject),
    reader.mostFrequent(tenant, period, result, limit),
  ])
  const verdicts = days.reduce((sum, day) => sum + day.verdicts, 0)
  return { from: period.from, to: period.to, verdicts, counts }
}
