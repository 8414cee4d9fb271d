import { parentPort, workerData } from 'node:worker_threads'
import type { ImpactItem, ItemResult } from './impact-item.ts'
import { Replayer, type ReplaySetup } from './impact-replay.ts'

/** What a worker is sent: a part of a portion, under a number. */
export interface ReplayRequest {
  readonly number: number
  readonly items: readonly ImpactItem[]
}

/** What it answers, in the order of the items. */
export interface ReplayAnswer {
  readonly number: number
  readonly results: readonly ItemResult[]
}

const setup: ReplaySetup = workerData
const replayer = new Replayer(setup)

parentPort?.on('message', ({ number, items }: ReplayRequest) => {
  const answer: ReplayAnswer = { number, results: items.map((item) => replayer.replay(item)) }
  parentPort?.postMessage(answer)
})
