import type { Database } from 'better-sqlite3'
import type { Checkpoint } from '../documents/checkpoint.ts'
import type { CheckpointResult } from './write-request.ts'

/** Prepares the statement that adds a checkpoint, inside a transaction, unless another process has added one meanwhile. */
export function prepareCheckpoint(db: Database): (checkpoint: Checkpoint) => CheckpointResult {
  const insert = db.prepare<[Checkpoint]>(
    `INSERT INTO checkpoints (tenant, from_sequence, sequence, link, root, at, key, signature)
     SELECT @tenant, @from, @sequence, @link, @root, @at, @key, @signature
     WHERE @from = 1 + coalesce((SELECT max(sequence) FROM checkpoints WHERE tenant = @tenant), 0)`,
  )
  return (checkpoint) => (insert.run(checkpoint).changes === 1 ? { kind: 'recorded' } : { kind: 'taken' })
}
