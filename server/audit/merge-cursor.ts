/** Reads rows that come ordered by a key, the rows of one key at a time, so that several such streams can be walked side by side. */
export class MergeCursor<T> {
  readonly #rows: AsyncIterator<T>
  readonly #keyOf: (row: T) => string
  #next: IteratorResult<T, unknown> | undefined

  constructor(rows: AsyncIterable<T>, keyOf: (row: T) => string) {
    this.#rows = rows[Symbol.asyncIterator]()
    this.#keyOf = keyOf
  }

  /** The key of the next row; undefined at the end. */
  async key(): Promise<string | undefined> {
    this.#next ??= await this.#rows.next()
    return this.#next.done === true ? undefined : this.#keyOf(this.#next.value)
  }

  /** Visits the rows of a key, when it is the next one, one by one. */
  async each(key: string, visit: (row: T) => void): Promise<void> {
    while ((await this.key()) === key) {
      if (this.#next?.done === false) visit(this.#next.value)
      this.#next = undefined
    }
  }

  /** The rows of a key, when it is the next one; they are few. */
  async take(key: string): Promise<readonly T[]> {
    const taken: T[] = []
    await this.each(key, (row) => taken.push(row))
    return taken
  }

  async close(): Promise<void> {
    await this.#rows.return?.()
  }
}

/** The smallest of the keys that come next; undefined when all streams are at their end. */
export async function smallestKey(cursors: readonly Pick<MergeCursor<unknown>, 'key'>[]): Promise<string | undefined> {
  let smallest: string | undefined
  for (const cursor of cursors) {
    const key = await cursor.key()
    if (key !== undefined && (smallest === undefined || key < smallest)) smallest = key
  }
  return smallest
}
