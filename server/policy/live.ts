import { setImmediate as turn } from 'node:timers/promises'
import { ImagegateError, type Problem } from '../errors.ts'
import { compilePolicy } from './program.ts'
import { type BundleName, digestOfSet, findVersion, type LoadedPolicies, type PolicySet } from './set.ts'

/** What is served at one moment: replaced whole, never changed. A request takes it once and keeps to it. */
export interface Served extends LoadedPolicies {
  /** Digest of the set; the candidate is no part of it. */
  readonly digest: string
  /** Since when. RFC 3339, UTC. */
  readonly since: string
}

/** Why the last reload left everything as it was. */
export interface ReloadFailure {
  /** RFC 3339, UTC. */
  readonly at: string
  readonly error: ImagegateError
}

/** What a reload came to. */
export type ReloadResult = 'changed' | 'unchanged' | 'failed'

/** The policies of a service, as those see them who only read. */
export interface PolicyView {
  readonly served: Served
  /** Absent when the last reload succeeded, or there was none. */
  readonly failure: ReloadFailure | undefined
  /** How many reloads came to what, since the start. */
  readonly reloads: Readonly<Record<ReloadResult, number>>
}

/** Where reloads are told; pino's loggers fit. */
export interface ReloadLog {
  info(details: object, message: string): void
  error(details: object, message: string): void
}

/** What reloading needs from outside. */
export interface LiveOptions {
  /** Reads everything anew. What is being served need not be checked again. */
  readonly load: (serving: LoadedPolicies) => Promise<LoadedPolicies>
  /** Resolves once it is durable that a bundle is taken into service; rejects when it must not be. */
  readonly accept: (bundle: BundleName) => Promise<void>
  readonly now: () => Date
  readonly log: ReloadLog
}

/** Compiles in many turns of the event loop, so that requests are answered in between. */
async function compileAll({ set, candidate }: LoadedPolicies): Promise<void> {
  for (const version of candidate === undefined ? set.versions : [...set.versions, candidate]) {
    compilePolicy(version.policy)
    await turn()
  }
}

/** A version that was served keeps its body: clients hold it as immutable, and verdicts name it (invariant 4). */
function changedBodies(before: PolicySet, after: PolicySet): Problem[] {
  return after.versions.flatMap(({ family, version, digest }) => {
    const served = findVersion(before, family, version)
    if (served === undefined || served.digest === digest) return []
    const message = `It is served as ${served.digest}; its digest, and the lock's, is now ${digest}.`
    return [{ file: `${family}/${version}.yaml`, message }]
  })
}

function errorOf(error: unknown): ImagegateError {
  if (error instanceof ImagegateError) return error
  return new ImagegateError('INTERNAL', 'Reloading failed for a reason of its own.', { cause: error })
}

/** The policies that a service serves: exchanged in one step by a reload that succeeded, kept by one that failed. */
export class LivePolicies implements PolicyView {
  readonly #options: LiveOptions
  readonly #reloads: Record<ReloadResult, number> = { changed: 0, unchanged: 0, failed: 0 }
  #served: Served
  #failure: ReloadFailure | undefined
  #last: Promise<unknown> = Promise.resolve()
  #next: Promise<ReloadResult> | undefined

  private constructor(first: Served, options: LiveOptions) {
    this.#options = options
    this.#served = first
  }

  /** Compiles the first set and takes it into service. Rejects as a policy's parsing and accept do. */
  static async start(first: LoadedPolicies, options: LiveOptions): Promise<LivePolicies> {
    await compileAll(first)
    if (first.bundle !== undefined) await options.accept(first.bundle)
    const since = options.now().toISOString()
    return new LivePolicies({ ...first, digest: digestOfSet(first.set), since }, options)
  }

  get served(): Served {
    return this.#served
  }

  get failure(): ReloadFailure | undefined {
    return this.#failure
  }

  get reloads(): Readonly<Record<ReloadResult, number>> {
    return this.#reloads
  }

  /**
   * Loads anew, all or nothing, and tells what came of it; never rejects. While one reload runs, all that are asked for
   * become one more after it, because it may have read what has changed since.
   */
  reload(): Promise<ReloadResult> {
    this.#next ??= this.#last.then(() => {
      this.#next = undefined
      return this.#attempt()
    })
    this.#last = this.#next
    return this.#next
  }

  /** Resolves when no reload runs any more. */
  async settled(): Promise<void> {
    await this.#last
  }

  async #attempt(): Promise<ReloadResult> {
    const result = await this.#load().catch((error: unknown) => this.#failed(errorOf(error)))
    if (result !== 'failed') this.#failure = undefined
    this.#reloads[result] += 1
    return result
  }

  async #load(): Promise<ReloadResult> {
    const { now, log, load, accept } = this.#options
    const before = this.#served
    const loaded = await load(before)
    const { set, bundle, candidate } = loaded
    const digest = digestOfSet(set)
    const problems = changedBodies(before.set, set)
    if (problems.length > 0) {
      throw new ImagegateError('POLICY_CHANGED', 'Versions that are being served have other bodies.', { problems })
    }
    await compileAll(loaded)
    // After everything that can refuse it: what is recorded here can never be gone back behind.
    if (bundle !== undefined) await accept(bundle)
    if (digest === before.digest && candidate?.digest === before.candidate?.digest) {
      this.#served = { ...loaded, digest, since: before.since }
      log.info({ policies: digest, bundle }, 'policies are unchanged')
      return 'unchanged'
    }
    this.#served = { ...loaded, digest, since: digest === before.digest ? before.since : now().toISOString() }
    log.info(
      { policies: digest, before: before.digest, versions: set.versions.length, bundle, candidate: candidate?.digest },
      'policies were reloaded',
    )
    return 'changed'
  }

  #failed(error: ImagegateError): ReloadResult {
    const { now, log } = this.#options
    this.#failure = { at: now().toISOString(), error }
    const { code, message: detail, problems, total, cause } = error
    const told = { code, detail, problems, total, kept: this.#served.digest }
    log.error(cause === undefined ? told : { ...told, err: cause }, 'policies were not reloaded')
    return 'failed'
  }
}
