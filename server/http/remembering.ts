/** Credentials that are remembered at most. */
const most = 1000

/** What is known by a digest, the oldest forgotten first. */
export class Remembering<T> {
  readonly #known = new Map<string, T>()

  get(digest: string): T | undefined {
    return this.#known.get(digest)
  }

  set(digest: string, value: T): void {
    this.#known.delete(digest)
    if (this.#known.size >= most) {
      const [oldest] = this.#known.keys()
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    this.#known.set(digest, value)
  }
}
