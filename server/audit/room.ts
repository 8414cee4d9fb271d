import { bytesOf } from './rows.ts'
import { isRecord, type WriteOutcome, type WriteRequest } from './write-request.ts'

/** What a verdict writes beside its texts, in bytes: pages of its tables and indexes. */
const pagesOfRecord = 128 << 10
const most = 8 << 20

function textOf(request: WriteRequest): number {
  return isRecord(request) ? bytesOf(request) : 0
}

/**
 * How much a readiness check has to write: next to nothing, or, from a commit that failed until a verdict is recorded
 * again, about as much as that commit. On a full disk a small write may fit where no verdict does.
 */
export class Room {
  /** Bytes that a check writes. */
  bytes = 0

  /** A batch was not committed. */
  failed(requests: readonly WriteRequest[]): void {
    const text = requests.reduce((sum, request) => sum + textOf(request), 0)
    this.bytes = Math.max(this.bytes, Math.min(pagesOfRecord + text, most))
  }

  /** A batch was committed; one without a verdict says nothing of the room that a verdict needs. */
  committed(requests: readonly WriteRequest[], outcomes: readonly WriteOutcome[]): void {
    if (requests.some((one, index) => isRecord(one) && outcomes[index]?.kind === 'recorded')) this.bytes = 0
  }
}
