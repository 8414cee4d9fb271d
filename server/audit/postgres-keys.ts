import { ImagegateError } from '../errors.ts'
import type { Connection } from './postgres-connection.ts'
import { inOrder } from './postgres-insert.ts'
import { serverTime, textArray } from './postgres-values.ts'
import type { RecordRows } from './rows.ts'
import type { IdempotentVerdict, RecordResult } from './store.ts'

/** A record that came with an idempotency key. */
type Keyed = RecordRows & Required<Pick<RecordRows, 'idempotency'>>

interface Claim {
  readonly tenant: string
  readonly key: string
}

/** Unambiguous, as a key holds no space. */
const nameOf = ({ tenant, key }: Claim) => `${tenant} ${key}`
const claimOf = ({ verdict: { tenant }, idempotency: { key } }: Keyed): Claim => ({ tenant, key })
const isKeyed = (record: RecordRows): record is Keyed => record.idempotency !== undefined

/**
 * Claims the idempotency keys of a batch. What is not to be recorded has its result in the map: it is a replay of the
 * first verdict of its key, or in conflict with it. A claim of the same key in another transaction is waited for.
 */
export async function claimKeys(
  connection: Connection,
  records: readonly RecordRows[],
): Promise<ReadonlyMap<RecordRows, RecordResult>> {
  const keyed = records.filter(isKeyed)
  // From the last to the first, so that of equal keys the first of the batch remains.
  const firsts = inOrder(keyed.toReversed(), (record) => nameOf(claimOf(record)))
  if (firsts.length === 0) return new Map()
  const claimed = await claim(connection, firsts)
  const won = firsts.filter((record) => claimed.has(nameOf(claimOf(record))))
  const lost = firsts.filter((record) => !claimed.has(nameOf(claimOf(record))))
  const known = await verdictsOf(connection, lost.map(claimOf))
  for (const record of won) {
    const { verdict, idempotency } = record
    known.set(nameOf(claimOf(record)), { fingerprint: idempotency.fingerprint, id: verdict.id, body: verdict.body })
  }
  const recorded = new Set(won)
  return new Map(
    keyed.filter((record) => !recorded.has(record)).map((record) => [record, repeated(record, known)] as const),
  )
}

function repeated(record: Keyed, known: ReadonlyMap<string, IdempotentVerdict>): RecordResult {
  const first = known.get(nameOf(claimOf(record)))
  // It was there a moment ago, a day old.
  if (first === undefined) throw new ImagegateError('STORE_UNAVAILABLE', 'An idempotency key has just expired.')
  const same = first.fingerprint === record.idempotency.fingerprint
  return same ? { kind: 'replayed', id: first.id, body: first.body } : { kind: 'conflict' }
}

async function claim(connection: Connection, records: readonly Keyed[]): Promise<ReadonlySet<string>> {
  const column = (pick: (record: Keyed) => string) => textArray(records.map(pick))
  const { rows } = await connection.query<Claim>(
    `INSERT INTO idempotency_keys (tenant, key, fingerprint, verdict_id, created_at)
     SELECT *, ${serverTime} FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
     ON CONFLICT DO NOTHING RETURNING tenant, key`,
    [
      column(({ verdict }) => verdict.tenant),
      column(({ idempotency }) => idempotency.key),
      column(({ idempotency }) => idempotency.fingerprint),
      column(({ verdict }) => verdict.id),
    ],
  )
  return new Set(rows.map(nameOf))
}

async function verdictsOf(connection: Connection, claims: readonly Claim[]): Promise<Map<string, IdempotentVerdict>> {
  if (claims.length === 0) return new Map()
  const { rows } = await connection.query<Claim & IdempotentVerdict>(
    `SELECT k.tenant, k.key, k.fingerprint, v.id, v.body
     FROM unnest($1::text[], $2::text[]) AS asked (tenant, key)
     JOIN idempotency_keys k ON k.tenant = asked.tenant AND k.key = asked.key
     JOIN verdicts v ON v.tenant = k.tenant AND v.id = k.verdict_id`,
    [textArray(claims.map(({ tenant }) => tenant)), textArray(claims.map(({ key }) => key))],
  )
  return new Map(rows.map((row) => [nameOf(row), row]))
}
