import { ImagegateError } from '../errors.ts'
import { GroupCommit } from './group-commit.ts'
import { storeReader } from './reader.ts'
import { type RecordRows, toRows } from './rows.ts'
import type { WriteOutcome, WriteRequest } from './sqlite-batch.ts'
import { createDatabaseFile } from './sqlite-connection.ts'
import { storeError } from './sqlite-errors.ts'
import { SqliteQueries } from './sqlite-reader.ts'
import { type StoreLog, WriterThread } from './sqlite-thread.ts'
import type { AcceptedBundle, RecordResult, Store, StoreReader, VerdictRecord } from './store.ts'

/** Where a SQLite store lives. */
export interface SqliteOptions {
  /** Path of the database file; its directory is made when there is none. */
  readonly file: string
  readonly log?: StoreLog
}

const limits = { batchItems: 256, batchBytes: 8 << 20, waitingItems: 4096, waitingBytes: 64 << 20 }

/** A commit this recent, in milliseconds, proves that the database can be written. */
const recent = 1000

/** Opens a database for reading and writing, migrating it first. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openSqliteStore({ file, log }: SqliteOptions): Promise<Store> {
  const thread = new WriterThread({ file }, log)
  const queries = new SqliteQueries(file)
  try {
    createDatabaseFile(file)
    await thread.start()
    queries.open()
    return storeOf(thread, queries)
  } catch (error) {
    await thread.close().catch(() => undefined)
    throw storeError(error)
  }
}

/** Opens a migrated database, in use or not, for reading alone. Rejects with STORE_INCOMPATIBLE or STORE_UNAVAILABLE. */
export async function openSqliteReader({ file }: Pick<SqliteOptions, 'file'>): Promise<StoreReader> {
  const queries = new SqliteQueries(file)
  queries.open()
  return { ...readerOf(queries), close: () => queries.close() }
}

function readerOf(queries: SqliteQueries): Omit<StoreReader, 'close'> {
  return storeReader((_, run) => queries.run(run))
}

function storeOf(thread: WriterThread, queries: SqliteQueries): Store {
  const reader = readerOf(queries)
  const writer = new Writer(thread)
  return {
    ...reader,
    record: (record) => writer.record(record),
    acceptBundle: (bundle) => writer.acceptBundle(bundle),
    async check() {
      await reader.policyBody('')
      await writer.check()
    },
    async close() {
      await writer.finish()
      // The reader first: the last connection to close tidies the log away, and only the writer can.
      await queries.close()
      await thread.close()
    },
  }
}

class Writer {
  readonly #thread: WriterThread
  readonly #queue: GroupCommit<WriteRequest, WriteOutcome>
  /** Digests of policy bodies that were committed, which need not travel to the writer again. */
  readonly #policies = new Set<string>()
  #check: Promise<void> | undefined
  #lastCommit = Number.NEGATIVE_INFINITY

  constructor(thread: WriterThread) {
    this.#thread = thread
    this.#queue = new GroupCommit({ ...limits, commit: (requests) => this.#commit(requests) })
  }

  async record(record: VerdictRecord): Promise<RecordResult> {
    const all = toRows(record)
    const rows = { ...all, policies: all.policies.filter(({ digest }) => !this.#policies.has(digest)) }
    const outcome = await this.#queue.add(rows, bytesOf(rows))
    if (outcome.kind === 'failed') throw new ImagegateError(outcome.failure.code, outcome.failure.detail)
    if (outcome.kind === 'older') throw new ImagegateError('INTERNAL', 'The writer took a record for a bundle.')
    return outcome
  }

  async acceptBundle(bundle: AcceptedBundle): Promise<void> {
    const outcome = await this.#queue.add({ bundle }, 0)
    if (outcome.kind === 'failed') throw new ImagegateError(outcome.failure.code, outcome.failure.detail)
    if (outcome.kind === 'older') {
      const { sequence, digest } = outcome.newest
      const found = `It is sequence ${bundle.sequence}, ${bundle.digest}`
      throw new ImagegateError('BUNDLE_ROLLBACK', `${found}; sequence ${sequence}, ${digest}, was served before.`)
    }
  }

  async check(): Promise<void> {
    if (performance.now() - this.#lastCommit < recent) return
    this.#check ??= this.#queue.add('check', 0).then(() => undefined)
    try {
      await this.#check
    } finally {
      this.#check = undefined
    }
  }

  /** Finishes what was accepted and takes nothing more. */
  finish(): Promise<void> {
    return this.#queue.close()
  }

  async #commit(requests: readonly WriteRequest[]): Promise<readonly WriteOutcome[]> {
    try {
      const outcomes = await this.#thread.commit(requests)
      // A batch of replays alone wrote nothing and proves nothing.
      if (outcomes.some(({ kind }) => kind === 'recorded')) this.#lastCommit = performance.now()
      for (const [index, request] of requests.entries()) {
        if (request === 'check' || 'bundle' in request || outcomes[index]?.kind !== 'recorded') continue
        for (const { digest } of request.policies) this.#policies.add(digest)
      }
      return outcomes
    } catch (error) {
      this.#policies.clear()
      throw error
    }
  }
}

function bytesOf({ verdict, document, policies }: RecordRows): number {
  return policies.reduce((sum, { body }) => sum + body.length, verdict.body.length + document.length)
}
