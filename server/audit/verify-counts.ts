import type { AuditSnapshot } from './snapshot.ts'
import type { DailyCountRow } from './tables.ts'
import { dailyCountKey } from './tally.ts'
import type { AuditProblem, AuditProblems } from './verify-problems.ts'

/** Compares a tenant's statistics with what its sealed verdicts come to. */
export async function walkCounts(
  snapshot: AuditSnapshot,
  tenant: string,
  counted: readonly DailyCountRow[],
  problems: AuditProblems,
): Promise<void> {
  const left = new Map(counted.map((row) => [dailyCountKey(row), row]))
  const add = (kind: AuditProblem['kind'], differs: readonly string[], message: string) =>
    problems.add({ kind, tenant, where: 'daily_counts', differs: [...differs], message })
  const stored = snapshot.rows((db) => db.selectFrom('daily_counts').selectAll().where('tenant', '=', tenant))
  for await (const row of stored) {
    const key = dailyCountKey(row)
    const expected = left.get(key)
    left.delete(key)
    if (expected === undefined) add('added', names, `No verdict explains ${nameOf(row)}.`)
    else if (expected.verdicts !== row.verdicts) {
      add('changed', ['verdicts'], `${nameOf(row)} is ${row.verdicts}; the verdicts come to ${expected.verdicts}.`)
    }
  }
  for (const row of left.values()) add('removed', names, `${nameOf(row)} is not there.`)
}

const names = ['result', 'day', 'subject', 'family'] as const

function nameOf(row: DailyCountRow): string {
  return `The count ${JSON.stringify(names.map((name) => row[name])).slice(0, 300)}`
}
