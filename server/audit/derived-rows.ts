import type { RecordRows } from './rows.ts'
import type { AuditTables } from './tables.ts'

/** A table whose rows repeat what a verdict's body says, to find it by. */
export interface DerivedTable {
  readonly table: keyof AuditTables & ('findings' | 'finding_kinds' | 'missing_facts')
  /** The columns that tell the rows of one verdict apart. */
  readonly key: readonly string[]
  /** The rows of one record. */
  rows(rows: RecordRows): readonly Readonly<Record<string, unknown>>[]
}

/** Every such table; what a record does not explain, in them or in verdicts, was not recorded. */
export const derivedTables: readonly DerivedTable[] = [
  { table: 'findings', key: ['rule', 'result'], rows: ({ findings }) => findings.map((row) => ({ ...row })) },
  { table: 'finding_kinds', key: ['severity', 'effect'], rows: ({ kinds }) => kinds.map((row) => ({ ...row })) },
  {
    table: 'missing_facts',
    key: ['pointer'],
    rows: ({ verdict: { tenant, id }, missing }) => missing.map((pointer) => ({ tenant, pointer, verdict_id: id })),
  },
]
