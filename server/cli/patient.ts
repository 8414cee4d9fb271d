import { setTimeout as sleep } from 'node:timers/promises'
import { errorKinds, ImagegateError } from '../errors.ts'
import { type Get, Refusal } from './server-client.ts'

/** Requests that are open at a time. */
const concurrency = 16

/** Pauses before what a busy server turned away is asked again, in milliseconds. */
const pauses = [250, 500, 1000, 2000, 4000]

/** Limits are counted by the minute; no server makes us wait longer. */
const longestSeconds = 60

/** Milliseconds after which it is asked again; undefined for an error that time does not mend. */
function pauseAfter(error: unknown, pause: number): number | undefined {
  if (!(error instanceof ImagegateError)) return undefined
  const { status } = errorKinds[error.code]
  if (status === 503) return pause
  if (status !== 429) return undefined
  const told = error instanceof Refusal ? (error.retryAfter ?? 0) : 0
  return Math.max(pause, Math.min(told, longestSeconds) * 1000)
}

/**
 * Asks again what a server that is busy, restarting or limiting its caller turned away; a long run should survive it. What it
 * still turns away at the sixth time is thrown.
 */
export function patient(get: Get): Get {
  return async (path, query) => {
    for (const pause of pauses) {
      try {
        return await get(path, query)
      } catch (error) {
        const wait = pauseAfter(error, pause)
        if (wait === undefined) throw error
        await sleep(wait)
      }
    }
    return get(path, query)
  }
}

/** Asks about each of many, a few at a time, and gives the answers in their order. */
export async function askEach<T, A>(all: readonly T[], ask: (one: T) => Promise<A>): Promise<A[]> {
  const answers: A[] = []
  for (let at = 0; at < all.length; at += concurrency) {
    answers.push(...(await Promise.all(all.slice(at, at + concurrency).map(ask))))
  }
  return answers
}
