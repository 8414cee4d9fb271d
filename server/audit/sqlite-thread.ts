import { Worker } from 'node:worker_threads'
import { ImagegateError } from '../errors.ts'
import type { WriterAnswer, WriterData, WriterRequest } from './sqlite-writer.ts'
import type { StoreLog } from './store.ts'
import type { WriteOutcome, WriteRequest } from './write-request.ts'

// A string in new URL() is not rewritten by the compiler.
const entry = new URL(import.meta.url.endsWith('.ts') ? './sqlite-writer.ts' : './sqlite-writer.js', import.meta.url)

/** After a start that failed, the next is tried this much later, in milliseconds. */
const restartPause = 1000

interface Exchange {
  readonly resolve: (answer: WriterAnswer) => void
  readonly reject: (error: ImagegateError) => void
}

/** The writer's thread, seen from the main thread: one request at a time, and a new thread when one has died. */
export class WriterThread {
  readonly #data: WriterData
  readonly #log: StoreLog | undefined
  #worker: Worker | undefined
  #exchange: Exchange | undefined
  #lastFailedStart = Number.NEGATIVE_INFINITY

  constructor(data: WriterData, log: StoreLog | undefined) {
    this.#data = data
    this.#log = log
  }

  /** Starts the thread, which opens and migrates the database. Rejects with STORE_UNAVAILABLE or STORE_INCOMPATIBLE. */
  async start(): Promise<void> {
    try {
      const opened = this.#expectAnswer()
      this.#spawn()
      await opened
    } catch (error) {
      this.#lastFailedStart = performance.now()
      await this.#worker?.terminate()
      throw error
    }
  }

  /** Makes one batch durable. Rejects with STORE_UNAVAILABLE when nothing of it was committed or the thread died. */
  async commit(requests: readonly WriteRequest[]): Promise<readonly WriteOutcome[]> {
    if (this.#worker === undefined) await this.#restart()
    const answer = await this.#ask(requests)
    if (answer.kind !== 'committed') throw new ImagegateError('INTERNAL', 'The writer answered something else.')
    return answer.outcomes
  }

  /** Closes the database and ends the thread. */
  async close(): Promise<void> {
    if (this.#worker === undefined) return
    try {
      await this.#ask('close')
    } finally {
      await this.#worker?.terminate()
    }
  }

  async #restart(): Promise<void> {
    if (performance.now() - this.#lastFailedStart < restartPause) {
      throw new ImagegateError('STORE_UNAVAILABLE', 'The writer could not be started a moment ago.')
    }
    await this.start()
    this.#log?.warn({}, 'The writer of the database was started again')
  }

  #ask(request: WriterRequest): Promise<WriterAnswer> {
    const answer = this.#expectAnswer()
    this.#worker?.postMessage(request)
    return answer
  }

  #expectAnswer(): Promise<WriterAnswer> {
    return new Promise((resolve, reject) => {
      this.#exchange = { resolve, reject }
    })
  }

  #spawn(): void {
    const worker = new Worker(entry, { workerData: this.#data, name: 'sqlite-writer' })
    this.#worker = worker
    worker.on('message', (answer: WriterAnswer) => this.#answered(answer))
    worker.on('error', (error) => this.#died(worker, error))
    worker.on('exit', (code) => this.#died(worker, new Error(`The writer's thread ended with ${code}.`)))
  }

  #answered(answer: WriterAnswer): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    if (answer.kind !== 'failed') {
      exchange?.resolve(answer)
      return
    }
    this.#log?.warn({ ...answer.failure }, 'The writer of the database failed')
    exchange?.reject(new ImagegateError(answer.failure.code, answer.failure.detail))
  }

  #died(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const exchange = this.#exchange
    this.#exchange = undefined
    if (exchange === undefined) return
    this.#log?.warn({ err: cause }, 'The writer of the database died')
    exchange.reject(new ImagegateError('STORE_UNAVAILABLE', "The writer's thread died.", { cause }))
  }
}
