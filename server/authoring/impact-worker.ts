import { parentPort, workerData } from 'node:worker_threads'
import { type ErrorCode, ImagegateError } from '../errors.ts'
import type { ImpactItem, ItemResult } from './impact-item.ts'
import { ReplayWork, type WorkSetup } from './impact-work.ts'

/** What a worker is sent: a part of a portion, under a number. */
export interface ReplayRequest {
  readonly number: number
  readonly items: readonly ImpactItem[]
}

/** What it answers: results in the order of the items, or why there are none. */
export type ReplayAnswer = { readonly number: number } & (
  | { readonly results: readonly ItemResult[] }
  | { readonly failure: { readonly code: ErrorCode; readonly detail: string } }
)

const setup: WorkSetup = workerData
const work = new ReplayWork(setup)

async function answerTo({ number, items }: ReplayRequest): Promise<ReplayAnswer> {
  try {
    return { number, results: await work.replay(items) }
  } catch (error) {
    if (!(error instanceof ImagegateError)) throw error
    return { number, failure: { code: error.code, detail: error.message } }
  }
}

parentPort?.on('message', async (request: ReplayRequest) => {
  parentPort?.postMessage(await answerTo(request))
})
