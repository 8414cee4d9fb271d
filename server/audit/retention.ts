import type { DatabasePlace } from '../database.ts'
import { idFloor, recordedText } from './identity.ts'

/** Which facts expire. */
export interface ExpiryOrder {
  /** Those whose last verdict was recorded before; milliseconds since 1970. */
  readonly before: number
  /** Kept with each document; at least one character. */
  readonly reason: string
  /** One tenant's alone. */
  readonly tenant?: string
  /** Only count. */
  readonly dryRun?: boolean
}

/** Fact documents whose bodies went, and the bytes that these had. */
export interface Expired {
  readonly documents: number
  readonly bytes: number
}

/** What one portion is about, in the database's terms. */
export interface ExpiryPortion {
  readonly tenant: string | undefined
  /** Where the portion before ended. */
  readonly after: DocumentKey
  /** Documents with a verdict from this id on are kept. */
  readonly kept: string
  readonly removedAt: string
  readonly reason: string
  readonly dryRun: boolean
}

/** The key of a fact document. */
export interface DocumentKey {
  readonly tenant: string
  readonly digest: string
}

/** A database in which facts expire, a portion at a time. */
export interface ExpiryTarget {
  /** Removes the bodies of a portion in one transaction; tells the documents and their bytes, by their keys in order. */
  portion(portion: ExpiryPortion): Promise<readonly (DocumentKey & { readonly bytes: number })[]>
  close(): Promise<void>
}

/** Documents that one transaction removes, so that nobody waits long. */
export const expiryPortion = 200

/** Opens a database for that. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openExpiry(place: DatabasePlace): Promise<ExpiryTarget> {
  if (place.kind === 'sqlite') return (await import('./sqlite-retention.ts')).openSqliteExpiry(place.file)
  return (await import('./postgres-retention.ts')).openPostgresExpiry(place.url)
}

/**
 * Removes the bodies of fact documents whose last verdict is old; digest, time and reason stay, and so do the verdicts
 * and their chain. Broken off, it has done whole portions, and the next run does the rest.
 */
export async function expireFacts(target: ExpiryTarget, order: ExpiryOrder, now = Date.now()): Promise<Expired> {
  const common = {
    tenant: order.tenant,
    kept: idFloor(order.before),
    removedAt: recordedText(now),
    reason: order.reason,
    dryRun: order.dryRun === true,
  }
  let after: DocumentKey = { tenant: '', digest: '' }
  let [documents, bytes] = [0, 0]
  for (;;) {
    const removed = await target.portion({ ...common, after })
    documents += removed.length
    bytes += removed.reduce((sum, one) => sum + one.bytes, 0)
    const last = removed.at(-1)
    if (removed.length < expiryPortion || last === undefined) return { documents, bytes }
    after = last
  }
}
