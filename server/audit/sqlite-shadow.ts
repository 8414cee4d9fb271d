import type { Database } from 'better-sqlite3'
import type { RecordRows } from './rows.ts'

/**
 * Prepares what writes a shadow evaluation inside the transaction of its verdict, and tells whether it could: whatever
 * is wrong with it, the verdict beside it stays. An error that ends the transaction is thrown.
 */
export function prepareShadow(db: Database): (rows: RecordRows) => 'kept' | 'lost' | undefined {
  const savepoint = db.prepare('SAVEPOINT shadow')
  const release = db.prepare('RELEASE shadow')
  const undo = db.prepare('ROLLBACK TO shadow')
  let write: ReturnType<typeof prepareRows> | undefined
  return (rows) => {
    if (rows.shadow === undefined) return undefined
    savepoint.run()
    try {
      // Prepared when first needed: should its tables be unsound, everything else still works.
      write ??= prepareRows(db)
      write(rows, rows.shadow)
      release.run()
      return 'kept'
    } catch (error) {
      if (!db.inTransaction) throw error
      undo.run()
      release.run()
      return 'lost'
    }
  }
}

function prepareRows(db: Database): (rows: RecordRows, shadow: NonNullable<RecordRows['shadow']>) => void {
  const insert = db.prepare(
    `INSERT INTO shadow_evaluations (tenant, candidate_digest, verdict_id, policy_digest, from_outcome, to_outcome,
       differing, differences) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const insertRule = db.prepare(
    'INSERT INTO shadow_differences (tenant, candidate_digest, rule, verdict_id) VALUES (?, ?, ?, ?)',
  )
  const count = db.prepare(
    `INSERT INTO shadow_counts (tenant, candidate_digest, rule, from_value, to_value, evaluations)
     VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET evaluations = evaluations + 1`,
  )
  return ({ verdict: { tenant, id, policy_digest, outcome } }, { candidate, to, differences, json }) => {
    insert.run(tenant, candidate, id, policy_digest, outcome, to, differences.length, json)
    count.run(tenant, candidate, '', outcome, to)
    for (const { rule, from, to: result } of differences) {
      insertRule.run(tenant, candidate, rule, id)
      count.run(tenant, candidate, rule, from, result)
    }
  }
}
