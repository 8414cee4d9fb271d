import type { Checkpoint } from '../documents/checkpoint.ts'
import { ImagegateError } from '../errors.ts'
import type { ApiKeyChange } from './api-keys.ts'
import { GroupCommit } from './group-commit.ts'
import { type AuditRead, toReadRow } from './reads.ts'
import { bytesOf, toRows } from './rows.ts'
import type { AcceptedBundle, RecordResult, VerdictRecord } from './store.ts'
import { isRead, isRecord, type WriteOutcome, type WriteRequest } from './write-request.ts'

const limits = { batchItems: 256, batchBytes: 8 << 20, waitingItems: 4096, waitingBytes: 64 << 20 }

/** A commit this recent, in milliseconds, proves that the database can be written. */
const recent = 1000

/** Makes one batch durable, one outcome per request, in order; rejects when nothing of it is known to be committed. */
export type Commit = (requests: readonly WriteRequest[]) => Promise<readonly WriteOutcome[]>

/** The writing half of a store, alike in every driver: requests gather into batches, a driver commits them. */
export class Writer {
  readonly #driver: Commit
  readonly #queue: GroupCommit<WriteRequest, WriteOutcome>
  /** Digests of policy bodies that were committed, which need not travel to the writer again. */
  readonly #policies = new Set<string>()
  #check: Promise<void> | undefined
  #recorded = 0
  #lastCommit = Number.NEGATIVE_INFINITY

  constructor(commit: Commit) {
    this.#driver = commit
    this.#queue = new GroupCommit({ ...limits, commit: (requests) => this.#commit(requests) })
  }

  /** As Store.record. */
  async record(record: VerdictRecord): Promise<RecordResult> {
    const all = toRows(record)
    const rows = { ...all, policies: all.policies.filter(({ digest }) => !this.#policies.has(digest)) }
    const outcome = await this.#queue.add(rows, bytesOf(rows))
    if (outcome.kind === 'failed') throw new ImagegateError(outcome.failure.code, outcome.failure.detail)
    if (outcome.kind === 'older' || outcome.kind === 'unknown' || outcome.kind === 'taken') {
      throw new ImagegateError('INTERNAL', 'The writer took a record for something else.')
    }
    return outcome
  }

  /** As Store.acceptBundle. */
  async acceptBundle(bundle: AcceptedBundle): Promise<void> {
    const outcome = await this.#queue.add({ bundle }, 0)
    if (outcome.kind === 'failed') throw new ImagegateError(outcome.failure.code, outcome.failure.detail)
    if (outcome.kind === 'older') {
      const { sequence, digest } = outcome.newest
      const found = `It is sequence ${bundle.sequence}, ${bundle.digest}`
      throw new ImagegateError('BUNDLE_ROLLBACK', `${found}; sequence ${sequence}, ${digest}, was served before.`)
    }
  }

  /** As Store.changeApiKeys. */
  async changeApiKeys(change: ApiKeyChange): Promise<void> {
    const outcome = await this.#queue.add({ apiKey: change }, 0)
    if (outcome.kind === 'failed') throw new ImagegateError(outcome.failure.code, outcome.failure.detail)
    if (outcome.kind === 'unknown') {
      throw new ImagegateError('API_KEY_NOT_FOUND', 'No API key with this id is in use.')
    }
  }

  /** As ReadsWriter.recordRead. */
  async recordRead(tenant: string, read: AuditRead): Promise<void> {
    const outcome = await this.#queue.add({ read: toReadRow(tenant, read) }, read.request.length)
    if (outcome.kind === 'failed') throw new ImagegateError(outcome.failure.code, outcome.failure.detail)
  }

  /** As ChainWriter.addCheckpoint. */
  async addCheckpoint(checkpoint: Checkpoint): Promise<'added' | 'taken'> {
    const outcome = await this.#queue.add({ checkpoint }, 0)
    if (outcome.kind === 'failed') throw new ImagegateError(outcome.failure.code, outcome.failure.detail)
    return outcome.kind === 'taken' ? 'taken' : 'added'
  }

  /** Verdicts that were recorded. */
  get recorded(): number {
    return this.#recorded
  }

  /** Resolves when a commit has just proved, or now proves, that the database can be written. */
  async check(): Promise<void> {
    if (performance.now() - this.#lastCommit < recent) return
    this.#check ??= this.#queue.add('check', 0).then(() => undefined)
    try {
      await this.#check
    } finally {
      this.#check = undefined
    }
  }

  /** Resolves once a commit that began after the call is durable, and with it all that was committed before. */
  async confirm(): Promise<void> {
    await this.#queue.add('check', 0)
  }

  /** Finishes what was accepted and takes nothing more. */
  finish(): Promise<void> {
    return this.#queue.close()
  }

  async #commit(requests: readonly WriteRequest[]): Promise<readonly WriteOutcome[]> {
    try {
      const outcomes = await this.#driver(requests)
      // Replays wrote nothing and prove nothing; a read may fit where no verdict does.
      const proven = (request: WriteRequest, index: number) => !isRead(request) && outcomes[index]?.kind === 'recorded'
      if (requests.some(proven)) this.#lastCommit = performance.now()
      for (const [index, request] of requests.entries()) {
        if (!isRecord(request) || outcomes[index]?.kind !== 'recorded') continue
        this.#recorded += 1
        for (const { digest } of request.policies) this.#policies.add(digest)
      }
      return outcomes
    } catch (error) {
      this.#policies.clear()
      this.#lastCommit = Number.NEGATIVE_INFINITY
      throw error
    }
  }
}
