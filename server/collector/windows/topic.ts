import { GuestError } from '../guest.ts'
import type { Facts, Missing, Part } from '../part.ts'

const longestReason = 512

/** An entry of collection/missing. What another error than GuestError says may quote the guest, so only its kind is told. */
export function missingBecause(pointer: string, error: unknown): Missing {
  if (!(error instanceof GuestError)) {
    const kind = error instanceof Error ? error.name : 'unknown error'
    return { pointer, code: 'parser-failed', reason: `Reading failed (${kind}).` }
  }
  return { pointer, code: error.code, reason: error.message.slice(0, longestReason).toWellFormed() || error.code }
}

/** One topic's facts while they are gathered: what cannot be had is noted, and the rest goes on. */
export class Topic {
  readonly missing: Missing[] = []

  /** What find gives; undefined, and noted as missing, when it throws. */
  take<T>(pointer: string, find: () => T): T | undefined {
    try {
      return find()
    } catch (error) {
      this.missing.push(missingBecause(pointer, error))
      return undefined
    }
  }

  /** As take, for what takes time. */
  async fetch<T>(pointer: string, find: () => Promise<T>): Promise<T | undefined> {
    try {
      return await find()
    } catch (error) {
      this.missing.push(missingBecause(pointer, error))
      return undefined
    }
  }

  /** Notes a fact that nothing could give. */
  note(pointer: string, code: string, reason: string): void {
    this.missing.push({ pointer, code, reason })
  }

  /** The topic's part of the document. */
  part(method: string, facts: Facts | undefined): Part {
    return { facts: facts ?? {}, method, missing: this.missing }
  }
}

/** Throws: the guest was read, and still the fact cannot be told from it. */
export function undecided(reason: string): never {
  throw new GuestError('undecided', reason)
}
