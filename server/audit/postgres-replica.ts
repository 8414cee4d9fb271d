import { ImagegateError } from '../errors.ts'
import type { StoreLog, StoreReader } from './store.ts'

/** The reading methods of a store. */
export type Reading = Omit<StoreReader, 'close'>

/** A replica that fails is told of at most so often, in milliseconds. */
const quiet = 60_000

/**
 * Reads the audit trail from a replica, which may lag behind. What it does not have yet, of what is asked for by name, is
 * looked up on the primary; whatever it cannot answer, the primary does. Every method is named here, so that the compiler
 * asks of a new one where it reads: keys and what must not lag, on the primary alone.
 */
export function withReplica(primary: Reading, replica: Reading, log?: StoreLog): Reading {
  let toldAt = Number.NEGATIVE_INFINITY
  const told = (error: ImagegateError) => {
    if (performance.now() - toldAt < quiet) return
    toldAt = performance.now()
    log?.warn({ reason: error.message }, 'The read replica did not answer; the primary answers instead')
  }
  async function either<T>(read: (reading: Reading) => Promise<T>): Promise<T> {
    try {
      return await read(replica)
    } catch (error) {
      if (!(error instanceof ImagegateError) || error.code !== 'STORE_UNAVAILABLE') throw error
      told(error)
      return await read(primary)
    }
  }
  async function found<T>(read: (reading: Reading) => Promise<T | undefined>): Promise<T | undefined> {
    return (await either(read)) ?? (await read(primary))
  }
  const { version, apiKey, apiKeys, idempotent, changes, entries, checkpoints, proof, coverage } = primary
  return {
    ...{ version, apiKey, apiKeys, idempotent, changes, entries, checkpoints, proof, coverage },
    verdict: (tenant, id) => found((reading) => reading.verdict(tenant, id)),
    document: (tenant, digest) => found((reading) => reading.document(tenant, digest)),
    policyBody: (digest) => found((reading) => reading.policyBody(digest)),
    async records(tenant, ids) {
      const records = await either((reading) => reading.records(tenant, ids))
      return records.length < ids.length ? await primary.records(tenant, ids) : records
    },
    countsByDay: (...request) => either((reading) => reading.countsByDay(...request)),
    mostFrequent: (...request) => either((reading) => reading.mostFrequent(...request)),
    reads: (...request) => either((reading) => reading.reads(...request)),
    list: (...request) => either((reading) => reading.list(...request)),
    shadowCounts: (...request) => either((reading) => reading.shadowCounts(...request)),
    shadows: (...request) => either((reading) => reading.shadows(...request)),
  }
}
