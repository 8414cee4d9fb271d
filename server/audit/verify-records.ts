import { type DerivedTable, derivedTables } from './derived-rows.ts'
import { MergeCursor, smallestKey } from './merge-cursor.ts'
import type { AuditSnapshot } from './snapshot.ts'
import type { AuditTables, ChainRow, VerdictRow } from './tables.ts'
import { type DailyCounts, tallyOf } from './tally.ts'
import { imageTextsOf } from './verify-image-texts.ts'
import type { PolicyUses } from './verify-policies.ts'
import type { AuditProblem, AuditProblems } from './verify-problems.ts'
import { type AnyRow, stateOfRecord } from './verify-record.ts'
import { trigramsByVerdict } from './verify-trigrams.ts'

/** Verdicts may have 1 MiB each, so few are held. */
const verdictsAtOnce = 50

/** What was read of one tenant's records. */
export interface RecordsSummary {
  readonly verdicts: number
  /** Verdicts that wait for their entry in the chain. */
  readonly unsealed: number
}

type UnsealedRow = AuditTables['unsealed']
type SealedRow = Pick<ChainRow, 'verdict_id' | 'sequence' | 'record_digest'>

interface Cursors {
  readonly verdicts: MergeCursor<VerdictRow>
  readonly sealed: MergeCursor<SealedRow>
  readonly unsealed: MergeCursor<UnsealedRow>
  readonly derived: ReadonlyMap<DerivedTable, MergeCursor<AnyRow>>
}

function derivedRows(snapshot: AuditSnapshot, table: DerivedTable['table'], tenant: string): AsyncIterable<AnyRow> {
  if (table === 'image_texts') return imageTextsOf(snapshot, tenant)
  if (table === 'image_trigrams') return trigramsByVerdict(snapshot, tenant)
  return snapshot.rows((db) => db.selectFrom(table).selectAll().where('tenant', '=', tenant).orderBy('verdict_id'))
}

function openCursors(snapshot: AuditSnapshot, tenant: string): Cursors {
  const verdicts = snapshot.rows<VerdictRow>(
    (db) => db.selectFrom('verdicts').selectAll().where('tenant', '=', tenant).orderBy('id'),
    verdictsAtOnce,
  )
  const sealed = snapshot.rows<SealedRow>((db) =>
    db
      .selectFrom('chain')
      .select(['verdict_id', 'sequence', 'record_digest'])
      .where('tenant', '=', tenant)
      .orderBy('verdict_id'),
  )
  const unsealed = snapshot.rows<UnsealedRow>((db) =>
    db.selectFrom('unsealed').selectAll().where('tenant', '=', tenant).orderBy('verdict_id'),
  )
  return {
    verdicts: new MergeCursor(verdicts, ({ id }) => id),
    sealed: new MergeCursor(sealed, (row) => row.verdict_id),
    unsealed: new MergeCursor(unsealed, (row) => row.verdict_id),
    derived: new Map(
      derivedTables(snapshot.dialect).map((derived) => {
        const rows = derivedRows(snapshot, derived.table, tenant)
        return [derived, new MergeCursor(rows, (row) => String(row['verdict_id']))]
      }),
    ),
  }
}

/** Everything that names one verdict, taken from all streams. */
async function takeGroup(cursors: Cursors, id: string) {
  const [verdict] = await cursors.verdicts.take(id)
  const sealed = await cursors.sealed.take(id)
  const [unsealed] = await cursors.unsealed.take(id)
  const derived = new Map<DerivedTable, readonly AnyRow[]>()
  for (const [table, cursor] of cursors.derived) derived.set(table, await cursor.take(id))
  return { verdict, sealed: sealed[0], unsealed, derived }
}

type Group = Awaited<ReturnType<typeof takeGroup>>
type Fault = Pick<AuditProblem, 'kind' | 'where' | 'differs' | 'message'>

/** What is wrong about a group beside the record itself. */
function faultsAround({ verdict, sealed, unsealed, derived }: Group): Fault[] {
  const waits = unsealed !== undefined
  const fault = (kind: Fault['kind'], where: string, message: string): Fault => ({ kind, where, differs: [], message })
  const faults: Fault[] = []
  if (verdict === undefined && sealed !== undefined) {
    faults.push(fault('removed', 'verdicts', 'The chain has an entry for it, and it is not there.'))
  }
  if (verdict === undefined && sealed === undefined) {
    for (const [{ table }, rows] of derived) {
      if (rows.length > 0) faults.push(fault('added', table, `${rows.length} rows name a verdict that does not exist.`))
    }
  }
  if (verdict !== undefined && sealed === undefined && !waits) {
    faults.push(fault('added', 'verdicts', 'It is in no chain, and does not wait to be.'))
  }
  if (waits && sealed !== undefined) faults.push(fault('added', 'unsealed', 'It is in the chain, and waits for it.'))
  if (waits && verdict === undefined && sealed === undefined) {
    faults.push(fault('added', 'unsealed', 'It waits for the chain and does not exist.'))
  }
  return faults
}

/** Whose records are walked, and what is told of those that are sound. */
export interface RecordsWalk {
  readonly snapshot: AuditSnapshot
  readonly tenant: string
  readonly uses: PolicyUses
  /** Of those that are sealed. */
  readonly counts: DailyCounts
}

/** Compares every record of a tenant with what its body says, and every row that repeats a part of one. */
export async function walkRecords(
  { snapshot, tenant, uses, counts }: RecordsWalk,
  problems: AuditProblems,
  progress: () => void,
): Promise<RecordsSummary> {
  const cursors = openCursors(snapshot, tenant)
  const all = [cursors.verdicts, cursors.sealed, cursors.unsealed, ...cursors.derived.values()]
  let verdicts = 0
  let unsealed = 0
  try {
    for (let id = await smallestKey(all); id !== undefined; id = await smallestKey(all)) {
      const group = await takeGroup(cursors, id)
      const { verdict: row, sealed, unsealed: waits, derived } = group
      const place = { tenant, verdict: id, ...(sealed === undefined ? {} : { sequence: sealed.sequence }) }
      for (const fault of faultsAround(group)) problems.add({ ...fault, ...place })
      if (row === undefined) continue
      verdicts += 1
      if (sealed === undefined && waits !== undefined) unsealed += 1
      const { verdict, faults } = stateOfRecord({ verdict: row, derived }, (sealed ?? waits)?.record_digest)
      for (const fault of faults) problems.add({ ...fault, ...place })
      if (verdict !== undefined) uses.add(verdict, place)
      if (verdict !== undefined && sealed !== undefined) counts.add(tenant, tallyOf(verdict))
      progress()
    }
  } finally {
    for (const cursor of all) await cursor.close()
  }
  return { verdicts, unsealed }
}
