import { Worker } from 'node:worker_threads'
import { ImagegateError } from '../errors.ts'
import type { ImpactItem, ItemResult } from './impact-item.ts'
import { ReplayWork, type WorkSetup } from './impact-work.ts'
import type { ReplayAnswer, ReplayRequest } from './impact-worker.ts'

// A string in new URL() is not rewritten by the compiler.
const entry = new URL(import.meta.url.endsWith('.ts') ? './impact-worker.ts' : './impact-worker.js', import.meta.url)

/** Fewer items than these are not worth another thread, which starts in half a second. */
const fewItems = 32

interface Waiting {
  readonly resolve: (results: readonly ItemResult[]) => void
  readonly reject: (error: Error) => void
}

/** One thread and the requests that it has not answered. */
class ReplayThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #number = 0
  #failed: Error | undefined

  constructor(setup: WorkSetup) {
    this.#worker = new Worker(entry, { workerData: setup, name: 'policy-impact' })
    this.#worker.on('message', (answer: ReplayAnswer) => this.#answered(answer))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', (code) => this.#fail(new Error(`A thread ended with ${code}.`)))
  }

  replay(items: readonly ImpactItem[]): Promise<readonly ItemResult[]> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    this.#number += 1
    const number = this.#number
    const request: ReplayRequest = { number, items }
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject })
      this.#worker.postMessage(request)
    })
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #answered(answer: ReplayAnswer): void {
    const waiting = this.#waiting.get(answer.number)
    this.#waiting.delete(answer.number)
    if ('results' in answer) waiting?.resolve(answer.results)
    else waiting?.reject(new ImagegateError(answer.failure.code, answer.failure.detail))
  }

  #fail(cause: unknown): void {
    this.#failed ??= new ImagegateError('INTERNAL', 'A thread that evaluates has ended.', { cause })
    for (const { reject } of this.#waiting.values()) reject(this.#failed)
    this.#waiting.clear()
  }
}

/** Equal recorded facts always go to the same thread, which evaluates them once. */
function threadOf(item: ImpactItem, threads: number): number {
  if (!('factsDigest' in item)) return item.line % threads
  const number = Number.parseInt(item.factsDigest.slice(-8), 16)
  return Number.isNaN(number) ? 0 : number % threads
}

/** Threads that evaluate items; each is started when it is first needed. One alone would only wait for this one, so it is this one. */
export class ReplayPool {
  readonly #setup: WorkSetup
  readonly #size: number
  readonly #threads = new Map<number, ReplayThread>()
  #here: ReplayWork | undefined

  constructor(setup: WorkSetup, size: number) {
    this.#setup = setup
    this.#size = size
  }

  /** Results in the order of the items. Rejects with STORE_UNAVAILABLE, or with INTERNAL when a thread died. */
  async replay(items: readonly ImpactItem[]): Promise<readonly ItemResult[]> {
    if (items.length < fewItems || this.#size === 1) {
      this.#here ??= new ReplayWork(this.#setup)
      return this.#here.replay(items)
    }
    const parts = Array.from({ length: this.#size }, (): number[] => [])
    for (const [index, item] of items.entries()) parts[threadOf(item, this.#size)]?.push(index)
    const results = new Map<number, ItemResult>()
    await Promise.all(
      parts.map(async (indexes, number) => {
        if (indexes.length === 0) return
        const answered = await this.#thread(number).replay(indexes.flatMap((index) => items[index] ?? []))
        for (const [at, result] of answered.entries()) results.set(indexes[at] ?? -1, result)
      }),
    )
    return items.flatMap((_, index) => results.get(index) ?? [])
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads.values(), this.#here].map((one) => one?.close()))
  }

  #thread(number: number): ReplayThread {
    const known = this.#threads.get(number)
    if (known !== undefined) return known
    const thread = new ReplayThread(this.#setup)
    this.#threads.set(number, thread)
    return thread
  }
}
