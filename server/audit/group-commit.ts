import { ImagegateError } from '../errors.ts'

/** How batches are made and when a queue is full. Sizes are what callers give as weight, in bytes. */
export interface GroupCommitOptions<Item, Result> {
  /** Makes one batch durable; one result per item, in order. Its rejection is every item's. */
  readonly commit: (items: readonly Item[]) => Promise<readonly Result[]>
  /** Greatest number of items of one batch. */
  readonly batchItems: number
  readonly batchBytes: number
  /** Greatest number of items that wait, and of their bytes. */
  readonly waitingItems: number
  readonly waitingBytes: number
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly bytes: number
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** One writer's queue: the next batch gathers while the last one commits, without a timer. */
export class GroupCommit<Item, Result> {
  readonly #options: GroupCommitOptions<Item, Result>
  #waiting: Waiting<Item, Result>[] = []
  #waitingBytes = 0
  #running: Promise<void> | undefined
  #closed = false

  constructor(options: GroupCommitOptions<Item, Result>) {
    this.#options = options
  }

  /** The item's result once its batch is durable. Rejects with OVERLOADED when the queue is full, SHUTTING_DOWN after close. */
  add(item: Item, bytes: number): Promise<Result> {
    if (this.#closed) return Promise.reject(new ImagegateError('SHUTTING_DOWN', 'The store is closed.'))
    const { waitingItems, waitingBytes } = this.#options
    // What is alone may be of any size: it waits for nobody.
    const full = this.#waiting.length >= waitingItems || this.#waitingBytes + bytes > waitingBytes
    if (full && this.#waiting.length > 0) {
      return Promise.reject(new ImagegateError('OVERLOADED', 'Too many verdicts wait for the database.'))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, bytes, resolve, reject })
      this.#waitingBytes += bytes
      this.#running ??= this.#run()
    })
  }

  /** Finishes what was accepted and takes nothing more. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // One turn of the event loop, so that all requests which are ready now share the first batch.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = this.#take()
      try {
        const results = await this.#options.commit(batch.map(({ item }) => item))
        for (const [index, { resolve, reject }] of batch.entries()) {
          const result = results[index]
          if (result === undefined) reject(new ImagegateError('INTERNAL', 'The writer left out a result.'))
          else resolve(result)
        }
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#running = undefined
  }

  #take(): readonly Waiting<Item, Result>[] {
    let count = 0
    let bytes = 0
    for (const waiting of this.#waiting) {
      if (count >= this.#options.batchItems || (count > 0 && bytes + waiting.bytes > this.#options.batchBytes)) break
      count += 1
      bytes += waiting.bytes
    }
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }
}
