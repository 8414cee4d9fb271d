import type { Connection } from './postgres-connection.ts'
import type { AcceptedBundle } from './store.ts'
import type { BundleResult } from './write-request.ts'

/** Takes a bundle into service, inside a transaction; replicas that do so at once go one after another. */
export async function acceptBundle(
  connection: Connection,
  { sequence, digest, signedBy }: AcceptedBundle,
): Promise<BundleResult> {
  await connection.query('LOCK TABLE policy_bundles IN SHARE ROW EXCLUSIVE MODE')
  const { rows } = await connection.query<AcceptedBundle>(
    'SELECT sequence, digest, signed_by AS "signedBy" FROM policy_bundles ORDER BY sequence DESC LIMIT 1',
  )
  const [newest] = rows
  if (newest !== undefined && newest.sequence >= sequence) {
    const same = newest.sequence === sequence && newest.digest === digest
    return same ? { kind: 'recorded' } : { kind: 'older', newest }
  }
  await connection.query(
    'INSERT INTO policy_bundles (sequence, digest, signed_by, accepted_at) VALUES ($1, $2, $3, $4)',
    [sequence, digest, signedBy, new Date().toISOString()],
  )
  return { kind: 'recorded' }
}
