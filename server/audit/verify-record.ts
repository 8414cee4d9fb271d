import { sha256 } from '../digest.ts'
import { ImagegateError } from '../errors.ts'
import { matches, problemsOf } from '../schemas.ts'
import type { DerivedTable } from './derived-rows.ts'
import { type RecordRows, toRows } from './rows.ts'
import type { RecordedVerdict } from './store.ts'
import type { VerdictRow } from './tables.ts'
import type { AuditProblem } from './verify-problems.ts'

/** A row of a derived table, whatever it holds. */
export type AnyRow = Readonly<Record<string, unknown>>

/** What is wrong with one record, without its place. */
export type RecordFault = Pick<AuditProblem, 'kind' | 'where' | 'differs' | 'message'>

/** A record as the database holds it. */
export interface StoredRows {
  readonly verdict: VerdictRow
  /** Rows of the derived tables that name this verdict, by table. */
  readonly derived: ReadonlyMap<DerivedTable, readonly AnyRow[]>
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value).slice(0, 200) : String(value)
}

/** A verdict that is sound and belongs where it stands, or what it is instead. */
function parse(text: string, { tenant, id }: VerdictRow): RecordedVerdict | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'It is not JSON.'
  }
  if (!matches('verdict', value)) {
    const [first] = problemsOf('verdict', value)
    return `It is no verdict: ${first?.pointer ?? ''} ${first?.message ?? ''}`
  }
  const { id: ownId, tenant: ownTenant, recordedAt } = value
  if (ownId === undefined || ownTenant === undefined || recordedAt === undefined) return 'It was never recorded.'
  if (ownId !== id || ownTenant !== tenant)
    return `It is the verdict ${shown(ownId)} of the tenant ${shown(ownTenant)}.`
  return { ...value, id: ownId, tenant: ownTenant, recordedAt }
}

function rowsOf(verdict: RecordedVerdict, body: string, recordDigest: string): RecordRows | string {
  try {
    return toRows({ verdict, body, recordDigest, document: '', policies: [] })
  } catch (error) {
    if (error instanceof ImagegateError) return error.message
    throw error
  }
}

function changedColumns(found: AnyRow, derived: AnyRow): string[] {
  return [...new Set([...Object.keys(derived), ...Object.keys(found)])].filter((name) => found[name] !== derived[name])
}

function changed(where: AuditProblem['where'], found: AnyRow, derived: AnyRow): RecordFault[] {
  const differs = changedColumns(found, derived)
  const [first] = differs
  if (first === undefined) return []
  const message = `${first} is ${shown(found[first])}; the verdict says ${shown(derived[first])}.`
  return [{ kind: 'changed', where, differs, message }]
}

function faultsOfTable(
  { rows, older, ...table }: DerivedTable,
  found: readonly AnyRow[],
  all: RecordRows,
): RecordFault[] {
  const faults = compareRows(table, found, rows(all))
  return faults.length > 0 && older && compareRows(table, found, older(all)).length === 0 ? [] : faults
}

function compareRows(
  { table, key }: Pick<DerivedTable, 'table' | 'key'>,
  found: readonly AnyRow[],
  explained: readonly AnyRow[],
): RecordFault[] {
  const keyOf = (row: AnyRow) => JSON.stringify(key.map((name) => row[name]))
  const left = new Map(found.map((row) => [keyOf(row), row]))
  const faults: RecordFault[] = []
  const gone: AnyRow[] = []
  for (const derived of explained) {
    const row = left.get(keyOf(derived))
    left.delete(keyOf(derived))
    if (row === undefined) gone.push(derived)
    else faults.push(...changed(table, row, derived))
  }
  // A row with another key in the place of one that is gone is that row, changed.
  for (const [, row] of left) {
    const instead = gone.shift()
    if (instead !== undefined) faults.push(...changed(table, row, instead))
    else
      faults.push({
        kind: 'added',
        where: table,
        differs: [...key],
        message: `The verdict does not explain ${keyOf(row)}.`,
      })
  }
  const removed = gone.map((row): RecordFault => {
    return { kind: 'removed', where: table, differs: [...key], message: `The row ${keyOf(row)} is not there.` }
  })
  return [...faults, ...removed]
}

/** What became of one record: the verdict when it is the one that was sealed, and everything that differs. */
export interface RecordState {
  /** Absent when the body is not what was sealed, or no verdict. */
  readonly verdict?: RecordedVerdict
  readonly faults: readonly RecordFault[]
}

/**
 * Compares a record with what its body says; `sealed` is its digest in the chain, absent while it waits for that.
 */
export function stateOfRecord({ verdict: row, derived }: StoredRows, sealed: string | undefined): RecordState {
  const digest = sha256(row.body)
  if (digest !== (sealed ?? row.record_digest)) {
    const differs = row.record_digest === sealed || sealed === undefined ? ['body'] : ['body', 'record_digest']
    const message = `The body has the digest ${digest}; ${sealed ?? row.record_digest} was recorded.`
    return { faults: [{ kind: 'changed', where: 'verdicts', differs, message }] }
  }
  const verdict = parse(row.body, row)
  if (typeof verdict === 'string') {
    return { faults: [{ kind: 'changed', where: 'verdicts', differs: ['body'], message: verdict }] }
  }
  const rows = rowsOf(verdict, row.body, digest)
  if (typeof rows === 'string') {
    return { faults: [{ kind: 'changed', where: 'verdicts', differs: ['body'], message: rows }] }
  }
  const faults = changed('verdicts', { ...row }, { ...rows.verdict })
  for (const [table, found] of derived) faults.push(...faultsOfTable(table, found, rows))
  return { verdict, faults }
}
