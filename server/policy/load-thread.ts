import { Worker } from 'node:worker_threads'
import { ImagegateError } from '../errors.ts'
import type { PolicySource } from './load-source.ts'
import type { LoadAnswer, LoadedVersion, LoadRequest } from './load-worker.ts'
import type { BundleName, LoadedPolicies, ReleasedPolicy } from './set.ts'

// A string in new URL() is not rewritten by the compiler.
const entry = new URL(import.meta.url.endsWith('.ts') ? './load-worker.ts' : './load-worker.js', import.meta.url)

/** A thread that nobody needed for this long ends, in milliseconds; it holds a parser and a schema compiler. */
const idleMs = 10_000

/** A version of which the other side sent only what could differ; one in which nothing does stays the same object. */
function joined(version: LoadedVersion, serving: readonly ReleasedPolicy[]): ReleasedPolicy {
  const { fresh, ...head } = version
  if (fresh !== undefined) return { ...head, ...fresh }
  const known = serving.find(({ digest }) => digest === version.digest)
  if (known === undefined) throw new ImagegateError('INTERNAL', `The thread left out ${version.digest}.`)
  const { at, reason } = version.withdrawn ?? {}
  if (known.withdrawn?.at === at && known.withdrawn?.reason === reason) return known
  return { ...head, text: known.text, policy: known.policy }
}

/** Loads policies in a thread of its own: reading and checking YAML would keep requests waiting for half a second. */
export class LoadingThread {
  readonly #source: PolicySource
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined

  constructor(source: PolicySource) {
    this.#source = source
  }

  /** Loads the source as loadSource does, one call at a time. Rejects with what that throws, or INTERNAL when the thread dies. */
  async load({ set, candidate }: LoadedPolicies): Promise<LoadedPolicies> {
    clearTimeout(this.#idle)
    const worker = this.#running()
    try {
      const serving = candidate === undefined ? set.versions : [...set.versions, candidate]
      const known = serving.map(({ digest, effectiveFrom }) => ({ digest, effectiveFrom }))
      const answer = await exchange(worker, { source: this.#source, known })
      return {
        set: { versions: answer.versions.map((version) => joined(version, serving)) },
        ...(answer.bundle && { bundle: answer.bundle }),
        ...(answer.candidate && { candidate: joined(answer.candidate, serving) }),
      }
    } finally {
      this.#idle = setTimeout(() => this.close(), idleMs).unref()
    }
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = new Worker(entry, { name: 'policies' })
    // Whoever waits for an answer is kept alive by something else: the thread alone is no reason to stay.
    worker.unref()
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined
    })
    this.#worker = worker
    return worker
  }

  /** Ends the thread; the next load starts another. */
  async close(): Promise<void> {
    clearTimeout(this.#idle)
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }
}

function exchange(
  worker: Worker,
  request: LoadRequest,
): Promise<{ versions: LoadedVersion[]; bundle: BundleName | undefined; candidate: LoadedVersion | undefined }> {
  return new Promise((resolve, reject) => {
    const versions: LoadedVersion[] = []
    const done = (end: () => void) => {
      worker.off('message', take).off('error', died).off('exit', gone)
      end()
    }
    const take = (answer: LoadAnswer) => {
      if (answer.kind === 'version') versions.push(answer.version)
      else if (answer.kind === 'end')
        done(() => resolve({ versions, bundle: answer.bundle, candidate: answer.candidate }))
      else {
        const { code, detail, problems, total } = answer
        done(() => reject(new ImagegateError(code, detail, { problems, total })))
      }
    }
    const died = (cause: unknown) =>
      done(() => reject(new ImagegateError('INTERNAL', 'The thread that loads policies died.', { cause })))
    const gone = () => done(() => reject(new ImagegateError('INTERNAL', 'The thread that loads policies ended.')))
    worker.on('message', take).on('error', died).on('exit', gone)
    worker.postMessage(request)
  })
}
