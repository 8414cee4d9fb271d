type Event<T, R> = { readonly item: IteratorResult<T> } | { readonly result: R }

/**
 * Works on at most `window` items at a time and yields the results in the items' order, each as soon as it and those
 * before it are there. Reads no further item while the window is full or nobody takes the results. `work` must not reject.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  work: (item: T) => Promise<R>,
  window: number,
): AsyncGenerator<R, void, void> {
  const source = items[Symbol.asyncIterator]()
  const read = () => {
    const next = source.next()
    // When the consumer goes away nobody waits for this one any more; its failure is not a crash.
    next.catch(() => undefined)
    return next
  }
  const pending: Promise<R>[] = []
  let next: Promise<IteratorResult<T>> | undefined = read()
  while (next !== undefined || pending.length > 0) {
    const [oldest] = pending
    const first = await Promise.race<Event<T, R>>([
      ...(next !== undefined && pending.length < window ? [next.then((item) => ({ item }))] : []),
      ...(oldest === undefined ? [] : [oldest.then((result) => ({ result }))]),
    ])
    if ('result' in first) {
      pending.shift()
      yield first.result
    } else if (first.item.done) {
      next = undefined
    } else {
      pending.push(work(first.item.value))
      next = read()
    }
  }
}
