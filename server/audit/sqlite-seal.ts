import type { Database } from 'better-sqlite3'
import { type ChainHead, emptyHead, nextEntry } from './chain.ts'
import { prepareCounts } from './sqlite-counts.ts'
import { tallyOfBody } from './tally.ts'

/** Seals verdicts of one transaction: a chain's head is read when its tenant first comes up. */
export interface Seal {
  /** Forgets the heads; done at the begin of each transaction, because another process may have sealed meanwhile. */
  begin(): void
  /** Appends a verdict to its tenant's chain. Throws SQLite's error, and then the chain is as before. */
  seal(tenant: string, verdictId: string, recordDigest: string): void
}

/** Prepares the statements that seal, on a writing connection. */
export function prepareSeal(db: Database): Seal {
  const head = db.prepare<[string], ChainHead>(
    'SELECT sequence, link FROM chain WHERE tenant = ? ORDER BY sequence DESC LIMIT 1',
  )
  const insert = db.prepare(
    'INSERT INTO chain (tenant, sequence, verdict_id, record_digest, previous_link, link) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const heads = new Map<string, ChainHead>()
  return {
    begin: () => heads.clear(),
    seal(tenant, verdictId, recordDigest) {
      const entry = nextEntry(tenant, heads.get(tenant) ?? head.get(tenant) ?? emptyHead, verdictId, recordDigest)
      insert.run(tenant, entry.sequence, verdictId, recordDigest, entry.previousLink, entry.link)
      heads.set(tenant, entry)
    },
  }
}

/** Verdicts that are sealed in one transaction when a database from before the chain is opened. */
const portion = 500

interface Waiting {
  readonly tenant: string
  readonly id: string
  readonly digest: string
  readonly body: string | null
}

/**
 * Seals and counts the verdicts that were there before the chain, in the order of their ids, and says how many. A portion is
 * sealed whole or not at all.
 */
export function sealWaiting(db: Database): number {
  const { begin, seal } = prepareSeal(db)
  const counts = prepareCounts(db)
  const select = db.prepare<[number], Waiting>(
    `SELECT waiting.tenant, verdict_id AS id, waiting.record_digest AS digest, body FROM unsealed AS waiting
     LEFT JOIN verdicts ON verdicts.tenant = waiting.tenant AND verdicts.id = verdict_id
     ORDER BY waiting.tenant, verdict_id LIMIT ?`,
  )
  const remove = db.prepare('DELETE FROM unsealed WHERE tenant = ? AND verdict_id = ?')
  const next = db.transaction(() => {
    begin()
    counts.begin()
    const waiting = select.all(portion)
    for (const { tenant, id, digest, body } of waiting) {
      seal(tenant, id, digest)
      const tally = body === null ? undefined : tallyOfBody(body)
      if (tally !== undefined) counts.add(tenant, tally)
      remove.run(tenant, id)
    }
    counts.write()
    return waiting.length
  })
  let sealed = 0
  for (let count = portion; count === portion; sealed += count) count = next.immediate()
  return sealed
}
