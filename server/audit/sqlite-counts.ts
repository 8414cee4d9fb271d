import type { Database } from 'better-sqlite3'
import { DailyCounts } from './tally.ts'

/** Counts the verdicts of one transaction, and writes what they come to at its end. */
export interface CountVerdicts {
  /** Forgets what was counted; done at the begin of each transaction. */
  begin(): void
  /** Counts a verdict, by its tally, once it is sealed. */
  add(tenant: string, tally: string): void
  /** Writes the counts. Throws SQLite's error. */
  write(): void
}

/** Prepares the statements that count, on a writing connection. */
export function prepareCounts(db: Database): CountVerdicts {
  const grow = db.prepare(
    `UPDATE daily_counts SET verdicts = verdicts + ?
     WHERE tenant = ? AND result = ? AND day = ? AND subject = ? AND family = ?`,
  )
  const begin = db.prepare(
    'INSERT INTO daily_counts (verdicts, tenant, result, day, subject, family) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const counts = new DailyCounts()
  return {
    begin: () => void counts.take(),
    add: (tenant, tally) => counts.add(tenant, tally),
    write() {
      for (const { verdicts, tenant, result, day, subject, family } of counts.take()) {
        const values = [verdicts, tenant, result, day, subject, family]
        if (grow.run(values).changes === 0) begin.run(values)
      }
    },
  }
}
