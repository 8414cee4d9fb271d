import type { Writable } from 'node:stream'

/** A stream that may be a terminal. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number | undefined }

function isClosed(error: Error): boolean {
  const code: unknown = Reflect.get(error, 'code')
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' || code === 'ERR_STREAM_WRITE_AFTER_END'
}

/** Standard output or standard error. A reader that went away (EPIPE) is no error: nothing more is written. */
export class Output {
  readonly #stream: OutputStream
  #queued: Promise<void> = Promise.resolve()
  #closed = false

  constructor(stream: OutputStream) {
    this.#stream = stream
    // Every failed write is told to its callback too.
    stream.on('error', () => undefined)
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true
  }

  /** Characters in a line. */
  get columns(): number {
    return Math.max(40, this.#stream.columns ?? 100)
  }

  /** True once nobody reads any more. */
  get closed(): boolean {
    return this.#closed
  }

  /** Resolves when the text was handed over, so that a slow reader slows the writer. Rejects when it cannot be written. */
  async write(text: string): Promise<void> {
    if (this.#closed) return
    const error = await new Promise<Error | null | undefined>((resolve) => this.#stream.write(text, resolve))
    if (error === null || error === undefined) return
    if (!isClosed(error)) throw error
    this.#closed = true
  }

  /** Writes without waiting, for callers that cannot; flush waits and tells of errors. */
  queue(text: string): void {
    const writing = this.write(text)
    this.#queued = this.#queued.then(() => writing)
    this.#queued.catch(() => undefined)
  }

  /** Resolves when all that was queued was handed over. */
  flush(): Promise<void> {
    return this.#queued
  }
}
