import { openReader } from '../audit/open.ts'
import type { StoredRecord, StoreReader } from '../audit/store.ts'
import type { DatabasePlace } from '../database.ts'
import type { ImpactItem, ItemResult } from './impact-item.ts'
import { Replayer, type ReplaySetup } from './impact-replay.ts'

/** What evaluating in one thread depends on; plain data, so that it can be handed to another. */
export interface WorkSetup extends ReplaySetup {
  /** Where listed verdicts are read. */
  readonly database?: { readonly place: DatabasePlace; readonly tenant: string }
}

/** Evaluates items in one thread, with a connection of its own where they are only listed. */
export class ReplayWork {
  readonly #replayer: Replayer
  readonly #database: WorkSetup['database']
  #reader: Promise<StoreReader> | undefined

  constructor({ database, ...setup }: WorkSetup) {
    this.#replayer = new Replayer(setup)
    this.#database = database
  }

  /** Results in the order of the items. Rejects with STORE_UNAVAILABLE or STORE_INCOMPATIBLE. */
  async replay(items: readonly ImpactItem[]): Promise<readonly ItemResult[]> {
    const read = await this.#read(items)
    return items.map((item) => {
      if (item.kind !== 'listed') return this.#replayer.replay(item)
      // A verdict that is listed and then not found has no body, which is told like any other that cannot be read.
      return this.#replayer.replay({ ...item, body: '', ...read.get(item.id), kind: 'record' })
    })
  }

  async close(): Promise<void> {
    await (await this.#reader)?.close()
  }

  async #read(items: readonly ImpactItem[]): Promise<ReadonlyMap<string, StoredRecord>> {
    const ids = items.flatMap((item) => (item.kind === 'listed' ? [item.id] : []))
    const { place, tenant } = this.#database ?? {}
    if (ids.length === 0 || place === undefined || tenant === undefined) return new Map()
    this.#reader ??= openReader(place)
    const records = await (await this.#reader).records(tenant, ids)
    return new Map(records.map((record) => [record.id, record]))
  }
}
