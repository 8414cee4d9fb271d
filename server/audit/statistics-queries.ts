import { expressionBuilder, type Kysely } from 'kysely'
import { maxPage } from './queries.ts'
import type { DayCount, StatisticsPeriod, SubjectCount } from './statistics.ts'
import type { AuditTables } from './tables.ts'

const eb = expressionBuilder<AuditTables, 'daily_counts'>()

function within({ from, to, family }: StatisticsPeriod) {
  return eb.and([
    eb('day', '>=', from),
    eb('day', '<', to),
    ...(family === undefined ? [] : [eb('family', '=', family)]),
  ])
}

/** The query behind countsByDay: a range of one subject's days. */
export function countsByDayQuery(db: Kysely<AuditTables>, tenant: string, period: StatisticsPeriod, subject: string) {
  return db
    .selectFrom('daily_counts')
    .select(({ fn }) => ['day', 'result', fn.sum<number>('verdicts').as('verdicts')])
    .where('tenant', '=', tenant)
    .where('subject', '=', subject)
    .where(within(period))
    .groupBy(['day', 'result'])
    .orderBy('day')
    .orderBy('result')
}

/** The query behind mostFrequent: a range of one result's days. Equally many stand in the order of their names. */
export function mostFrequentQuery(
  db: Kysely<AuditTables>,
  tenant: string,
  period: StatisticsPeriod,
  { result, limit }: { readonly result: string; readonly limit: number },
) {
  return db
    .selectFrom('daily_counts')
    .select(({ fn }) => ['subject', fn.sum<number>('verdicts').as('verdicts')])
    .where('tenant', '=', tenant)
    .where('result', '=', result)
    .where(within(period))
    .groupBy('subject')
    .orderBy('verdicts', 'desc')
    .orderBy('subject')
    .limit(limit)
}

/** As StatisticsReader.countsByDay. */
export async function readCountsByDay(
  db: Kysely<AuditTables>,
  tenant: string,
  period: StatisticsPeriod,
  subject: string,
): Promise<readonly DayCount[]> {
  const rows = await countsByDayQuery(db, tenant, period, subject).execute()
  // A sum of PostgreSQL is a decimal number, which its driver gives as text.
  return rows.map(({ day, result, verdicts }) => ({ day, result, verdicts: Number(verdicts) }))
}

/** As StatisticsReader.mostFrequent. */
export async function readMostFrequent(
  db: Kysely<AuditTables>,
  tenant: string,
  period: StatisticsPeriod,
  { result, limit }: { readonly result: string; readonly limit: number },
): Promise<readonly SubjectCount[]> {
  const size = Math.min(Math.max(Math.trunc(limit), 1), maxPage)
  const rows = await mostFrequentQuery(db, tenant, period, { result, limit: size }).execute()
  return rows.map(({ subject, verdicts }) => ({ subject, verdicts: Number(verdicts) }))
}
