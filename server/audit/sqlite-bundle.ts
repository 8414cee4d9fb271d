import type { Database } from 'better-sqlite3'
import type { AcceptedBundle } from './store.ts'
import type { BundleResult } from './write-request.ts'

interface Row {
  readonly sequence: number
  readonly digest: string
  readonly signed_by: string
}

/** Prepares the statements that take a bundle into service, inside a transaction. */
export function prepareBundle(db: Database): (bundle: AcceptedBundle) => BundleResult {
  const select = db.prepare<[], Row>(
    'SELECT sequence, digest, signed_by FROM policy_bundles ORDER BY sequence DESC LIMIT 1',
  )
  const insert = db.prepare('INSERT INTO policy_bundles (sequence, digest, signed_by, accepted_at) VALUES (?, ?, ?, ?)')
  return ({ sequence, digest, signedBy }) => {
    const newest = select.get()
    if (newest !== undefined && newest.sequence >= sequence) {
      if (newest.sequence === sequence && newest.digest === digest) return { kind: 'recorded' }
      const { signed_by, ...name } = newest
      return { kind: 'older', newest: { ...name, signedBy: signed_by } }
    }
    insert.run(sequence, digest, signedBy, new Date().toISOString())
    return { kind: 'recorded' }
  }
}
