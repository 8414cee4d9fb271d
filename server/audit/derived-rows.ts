import { searchText, trigramsOf } from './image-text.ts'
import type { Dialect } from './list-request.ts'
import { fromText, toText } from './postgres-text.ts'
import type { RecordRows } from './rows.ts'
import type { AuditTables } from './tables.ts'

/** A table whose rows repeat what a verdict's body says, to find it by. */
export interface DerivedTable {
  readonly table: keyof AuditTables &
    ('findings' | 'finding_kinds' | 'missing_facts' | 'image_texts' | 'image_trigrams')
  /** The only database that has it; both have it when left out. */
  readonly dialect?: Dialect
  /** The columns that tell the rows of one verdict apart. */
  readonly key: readonly string[]
  /** The rows of one record. */
  rows(rows: RecordRows): readonly Readonly<Record<string, unknown>>[]
  /** The rows that a migration gave an older record, where they may be others. */
  older?(rows: RecordRows): readonly Readonly<Record<string, unknown>>[]
}

const tables: readonly DerivedTable[] = [
  { table: 'findings', key: ['rule', 'result'], rows: ({ findings }) => findings.map((row) => ({ ...row })) },
  { table: 'finding_kinds', key: ['severity', 'effect'], rows: ({ kinds }) => kinds.map((row) => ({ ...row })) },
  {
    table: 'missing_facts',
    key: ['pointer'],
    rows: ({ verdict: { tenant, id }, missing }) => missing.map((pointer) => ({ tenant, pointer, verdict_id: id })),
  },
  {
    table: 'image_texts',
    dialect: 'sqlite',
    key: ['text'],
    rows: ({ verdict: { tenant, id }, imageText: text }) =>
      text === undefined ? [] : [{ text, tenant, verdict_id: id }],
  },
  {
    table: 'image_trigrams',
    dialect: 'postgres',
    key: ['trigram'],
    rows: ({ verdict: { tenant, id }, imageText }) =>
      trigramsOf(imageText ?? '').map((trigram) => ({ tenant, trigram, verdict_id: id })),
    // The migration took a name with U+0000 or U+001A as PostgreSQL holds it.
    older: ({ verdict: { tenant, id, image_name } }) =>
      trigramsOf(searchText(toText(image_name ?? '')) ?? '').map((trigram) => {
        return { tenant, trigram: fromText(trigram), verdict_id: id }
      }),
  },
]

/** Every such table of a database; what a record does not explain, in them or in verdicts, was not recorded. */
export function derivedTables(of: Dialect): readonly DerivedTable[] {
  return tables.filter(({ dialect }) => dialect === undefined || dialect === of)
}
