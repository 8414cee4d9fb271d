import type pg from 'pg'
import type { SealingState } from './chain-store.ts'
import { timeOfId } from './identity.ts'
import { reasonOf } from './postgres-errors.ts'
import { countWaiting, sealOldest, sealPortion } from './postgres-seal.ts'
import type { StoreLog } from './store.ts'

/** How the sealer works. */
export interface SealerOptions {
  readonly pool: pg.Pool
  readonly log?: StoreLog | undefined
}

/** Milliseconds: between looks for what other replicas left, before another try when one of them seals or after a failure. */
const times = { poll: 1000, busy: 100, failed: 1000 }

/** Waiting verdicts are counted up to this many. */
const counted = 100_001

/**
 * Seals what waits, one portion after another, beside the requests. Every replica has one; the database lets one at a
 * time work. A lost connection is tried again until it is back; what waits is not lost meanwhile.
 */
export class Sealer {
  readonly #options: SealerOptions
  #lag = { waiting: 0, oldestSeconds: 0 }
  #sealed = 0
  #wake: (() => void) | undefined
  #woken = false
  #closing = false
  #failing = false
  #looked = Number.NEGATIVE_INFINITY
  readonly #running: Promise<void>

  constructor(options: SealerOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** What waited at the last look, at most about a second ago while the database answers. */
  get state(): SealingState {
    return { ...this.#lag, sealed: this.#sealed }
  }

  /** There is something new to seal. */
  wake(): void {
    this.#woken = true
    this.#wake?.()
  }

  /** Seals what this replica has recorded, if the database answers, and ends. */
  async close(): Promise<void> {
    this.#closing = true
    this.wake()
    await this.#running
  }

  async #run(): Promise<void> {
    for (;;) {
      const last = this.#closing
      this.#woken = false
      const sealed = await this.#attempt()
      if (sealed === 'all') continue
      if (last) return
      await this.#sleep(sealed === 'done' ? times.poll : times[sealed], sealed === 'done')
    }
  }

  /** all: a whole portion, so that there may be more; done: all that there was. */
  async #attempt(): Promise<'all' | 'done' | 'busy' | 'failed'> {
    try {
      const sealed = await sealOldest(this.#options.pool)
      if (sealed !== 'busy') this.#sealed += sealed.length
      const more = sealed !== 'busy' && sealed.length === sealPortion
      await this.#look()
      if (this.#failing) this.#options.log?.info({}, 'The chain is sealed again')
      this.#failing = false
      if (sealed === 'busy') return 'busy'
      return more ? 'all' : 'done'
    } catch (error) {
      if (!this.#failing) this.#options.log?.warn(reasonOf(error), 'Sealing the chain failed and is tried again')
      this.#failing = true
      // What waits bounds what is taken, and is watched, most of all while nothing is sealed.
      if (!this.#closing) await this.#look().catch(() => undefined)
      return 'failed'
    }
  }

  async #look(): Promise<void> {
    if (performance.now() - this.#looked < times.poll) return
    this.#looked = performance.now()
    const { waiting, oldest } = await countWaiting(this.#options.pool, counted)
    const age = oldest === undefined ? 0 : (Date.now() - timeOfId(oldest)) / 1000
    this.#lag = { waiting, oldestSeconds: Math.max(age, 0) }
  }

  #sleep(milliseconds: number, wakeable: boolean): Promise<void> {
    if (this.#closing || (wakeable && this.#woken)) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#wake = () => {
        if (!wakeable && !this.#closing) return
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
