import type { KeyObject } from 'node:crypto'
import { ImagegateError } from '../errors.ts'
import { keyName } from '../policy/bundle-key.ts'
import { maxSegment } from './chain.ts'
import { CheckpointDirectory } from './checkpoint-directory.ts'
import { type MakerOptions, makeCheckpoints } from './checkpoint-maker.ts'
import type { Store, StoreLog } from './store.ts'

/** How checkpoints are made and kept. */
export interface CheckpointOptions {
  readonly store: Pick<Store, 'coverage' | 'entries' | 'checkpoints' | 'addCheckpoint' | 'sealing'>
  /** Private Ed25519 key; without it none are made. */
  readonly key?: KeyObject | undefined
  /** Directory outside the database in which every checkpoint is kept, too. */
  readonly directory?: string | undefined
  /** Seconds between checkpoints. */
  readonly seconds: number
  readonly log: StoreLog
  readonly now: () => Date
}

/** How checkpoints went so far, as this process knows it. */
export interface CheckpointState {
  /** Whether there is a key. */
  readonly signing: boolean
  /** When all that was sealed was last seen to be covered, in milliseconds since 1970; undefined before. */
  readonly coveredAt?: number
  /** Verdicts of all tenants under checkpoints, and those sealed and not yet covered, at the last look. */
  readonly covered: number
  readonly uncovered: number
  readonly made: number
  /** Passes in which the database, the directory or a broken chain kept something from being covered. */
  readonly failures: number
}

/** Milliseconds: how often it is looked whether a segment is full, and what a last checkpoint may take at the end. */
const times = { look: 250, last: 10_000 }

/** Makes checkpoints at an interval and whenever a segment is full, and keeps them outside; one pass at a time. */
export class Checkpoints {
  readonly #options: CheckpointOptions
  readonly #maker: MakerOptions | undefined
  readonly #files: CheckpointDirectory | undefined
  readonly #timers: readonly NodeJS.Timeout[]
  #state: CheckpointState
  #running: Promise<void> = Promise.resolve()
  #queued = false
  #failing = false
  #sealed = 0

  private constructor(options: CheckpointOptions, files: CheckpointDirectory | undefined) {
    const { key, store, log, now } = options
    this.#options = options
    this.#files = files
    this.#maker = key && { store, key, log, now }
    this.#state = { signing: key !== undefined, covered: 0, uncovered: 0, made: 0, failures: 0 }
    this.#timers = [
      setInterval(() => this.#queue(true), options.seconds * 1000).unref(),
      setInterval(() => this.#look(), times.look).unref(),
    ]
  }

  /** Starts with a first pass. Rejects with FILE_UNREADABLE when the directory cannot be written. */
  static async start(options: CheckpointOptions): Promise<Checkpoints> {
    const { key, directory, seconds, log, store } = options
    if (key === undefined) log.info({}, 'No checkpoint key is configured: the chain is sealed and not signed')
    else log.info({ key: keyName(key), seconds, directory }, 'Checkpoints are signed')
    const files = directory === undefined ? undefined : new CheckpointDirectory(directory, store, log)
    await files?.follow().catch((cause: unknown) => {
      if (cause instanceof ImagegateError) throw cause
      throw new ImagegateError('FILE_UNREADABLE', 'The directory of checkpoints cannot be read and written.', { cause })
    })
    const checkpoints = new Checkpoints(options, files)
    checkpoints.#queue(true)
    return checkpoints
  }

  /** As of the last pass. */
  get state(): CheckpointState {
    return this.#state
  }

  /** Covers all that is sealed now, if it can; never rejects. */
  async cover(): Promise<void> {
    this.#queue(true)
    await this.#running
  }

  /** Covers what is left, as far as that takes ten seconds, and ends. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.#running
    await this.#pass(true, performance.now() + times.last)
  }

  #look(): void {
    const { sealed } = this.#options.store.sealing()
    if (sealed - this.#sealed < maxSegment) return
    this.#sealed = sealed
    this.#queue(false)
  }

  /** A pass that has not begun stands for all that are asked for meanwhile. */
  #queue(all: boolean): void {
    if (this.#queued && !all) return
    this.#queued = true
    this.#running = this.#running.then(() => {
      this.#queued = false
      return this.#pass(all)
    })
  }

  /** Never rejects. */
  async #pass(all: boolean, until?: number): Promise<void> {
    let failed = false
    let made = 0
    try {
      if (this.#maker !== undefined) {
        const pass = await makeCheckpoints(this.#maker, all, until)
        made = pass.made
        failed = pass.broken.length > 0
      }
      await this.#files?.follow()
      if (this.#failing) this.#options.log.info({}, 'Checkpoints are made and kept again')
      this.#failing = false
      await this.#count()
    } catch (error) {
      failed = true
      if (!this.#failing)
        this.#options.log.warn({ err: error }, 'Making or keeping checkpoints failed and is tried again')
      this.#failing = true
    }
    const { made: before, failures } = this.#state
    this.#state = { ...this.#state, made: before + made, failures: failures + (failed ? 1 : 0) }
  }

  async #count(): Promise<void> {
    const coverage = await this.#options.store.coverage()
    const covered = coverage.reduce((sum, one) => sum + one.covered, 0)
    const uncovered = coverage.reduce((sum, one) => sum + Math.max(one.sealed - one.covered, 0), 0)
    const coveredAt = uncovered === 0 ? this.#options.now().getTime() : this.#state.coveredAt
    this.#state = { ...this.#state, covered, uncovered, ...(coveredAt !== undefined && { coveredAt }) }
  }
}
