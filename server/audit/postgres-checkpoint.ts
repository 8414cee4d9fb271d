import type { Checkpoint } from '../documents/checkpoint.ts'
import type { Connection } from './postgres-connection.ts'
import type { CheckpointResult } from './write-request.ts'

/** Adds a checkpoint, inside a transaction, unless another replica has added one meanwhile. */
export async function addCheckpoint(connection: Connection, checkpoint: Checkpoint): Promise<CheckpointResult> {
  const { tenant, from, sequence, link, root, at, key, signature } = checkpoint
  await connection.query('LOCK TABLE checkpoints IN SHARE ROW EXCLUSIVE MODE')
  const { rowCount } = await connection.query(
    `INSERT INTO checkpoints (tenant, from_sequence, sequence, link, root, at, key, signature)
     SELECT $1::text, $2::bigint, $3::bigint, $4, $5, $6, $7, $8
     WHERE $2::bigint = 1 + coalesce((SELECT max(sequence) FROM checkpoints WHERE tenant = $1::text), 0)`,
    [tenant, from, sequence, link, root, at, key, signature],
  )
  return rowCount === 1 ? { kind: 'recorded' } : { kind: 'taken' }
}
