import type { Connection } from './postgres-connection.ts'
import { keepsConnection } from './postgres-errors.ts'
import { inOrder } from './postgres-insert.ts'
import { textArray } from './postgres-values.ts'
import type { RecordRows } from './rows.ts'

/** A record with a candidate's evaluation beside it. */
type Shadowed = RecordRows & Required<Pick<RecordRows, 'shadow'>>

/** A kind of change, as it is counted. */
interface Change {
  readonly tenant: string
  readonly candidate: string
  readonly rule: string
  readonly from: string
  readonly to: string
}

const isShadowed = (record: RecordRows): record is Shadowed => record.shadow !== undefined

/**
 * Writes the shadow evaluations of recorded verdicts, and says of each whether it is kept: whatever is wrong with one,
 * the verdict beside it stays, and so do the others. It comes last in a transaction, because counts are rows that all
 * replicas want.
 */
export async function keepShadows(
  connection: Connection,
  records: readonly RecordRows[],
): Promise<ReadonlyMap<RecordRows, 'kept' | 'lost'>> {
  const shadowed = records.filter(isShadowed)
  if (shadowed.length === 0) return new Map()
  if (await couldKeep(connection, shadowed)) return new Map(shadowed.map((record) => [record, 'kept'] as const))
  const results = new Map<RecordRows, 'kept' | 'lost'>()
  for (const record of shadowed) results.set(record, (await couldKeep(connection, [record])) ? 'kept' : 'lost')
  return results
}

async function couldKeep(connection: Connection, records: readonly Shadowed[]): Promise<boolean> {
  await connection.query('SAVEPOINT shadow')
  try {
    await insert(connection, records)
    await connection.query('RELEASE shadow')
    return true
  } catch (error) {
    if (!keepsConnection(error)) throw error
    await connection.query('ROLLBACK TO shadow; RELEASE shadow')
    return false
  }
}

async function insert(connection: Connection, records: readonly Shadowed[]): Promise<void> {
  const one = (pick: (record: Shadowed) => string) => textArray(records.map(pick))
  await connection.query(
    `INSERT INTO shadow_evaluations (tenant, candidate_digest, verdict_id, policy_digest, from_outcome, to_outcome,
       differing, differences)
     SELECT tenant, candidate, id, policy, from_outcome, to_outcome, differing::integer, differences
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
       AS sent (tenant, candidate, id, policy, from_outcome, to_outcome, differing, differences)`,
    [
      one(({ verdict }) => verdict.tenant),
      one(({ shadow }) => shadow.candidate),
      one(({ verdict }) => verdict.id),
      one(({ verdict }) => verdict.policy_digest),
      one(({ verdict }) => verdict.outcome),
      one(({ shadow }) => shadow.to),
      one(({ shadow }) => String(shadow.differences.length)),
      one(({ shadow }) => shadow.json),
    ],
  )
  await insertRules(connection, records)
  await count(connection, records.flatMap(changesOf))
}

async function insertRules(connection: Connection, records: readonly Shadowed[]): Promise<void> {
  const rows = records.flatMap(({ verdict: { tenant, id }, shadow: { candidate, differences } }) =>
    differences.map(({ rule }) => [tenant, candidate, rule, id] as const),
  )
  await connection.query(
    `INSERT INTO shadow_differences (tenant, candidate_digest, rule, verdict_id)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])`,
    [0, 1, 2, 3].map((column) => textArray(rows.map((row) => row[column] ?? ''))),
  )
}

function changesOf({ verdict: { tenant, outcome }, shadow: { candidate, to, differences } }: Shadowed): Change[] {
  const whole = { tenant, candidate, rule: '', from: outcome, to }
  return [whole, ...differences.map((difference) => ({ tenant, candidate, ...difference }))]
}

async function count(connection: Connection, changes: readonly Change[]): Promise<void> {
  const nameOf = (change: Change) =>
    JSON.stringify([change.tenant, change.candidate, change.rule, change.from, change.to])
  const counts = new Map<string, number>()
  for (const change of changes) counts.set(nameOf(change), (counts.get(nameOf(change)) ?? 0) + 1)
  const rows = inOrder(changes, nameOf)
  const column = (pick: (change: Change) => string) => textArray(rows.map(pick))
  await connection.query(
    `INSERT INTO shadow_counts (tenant, candidate_digest, rule, from_value, to_value, evaluations)
     SELECT tenant, candidate, rule, from_value, to_value, evaluations::bigint
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
       AS sent (tenant, candidate, rule, from_value, to_value, evaluations)
     ON CONFLICT (tenant, candidate_digest, rule, from_value, to_value)
       DO UPDATE SET evaluations = shadow_counts.evaluations + excluded.evaluations`,
    [
      column(({ tenant }) => tenant),
      column(({ candidate }) => candidate),
      column(({ rule }) => rule),
      column(({ from }) => from),
      column(({ to }) => to),
      column((change) => String(counts.get(nameOf(change)))),
    ],
  )
}
