/**
 * Lets tasks run at once whose shares come to at most this much; the others wait in the order in which they came. A task has
 * a share of one unless it says more, and at most everything.
 */
export function turns(most: number): <T>(task: () => Promise<T>, share?: number) => Promise<T> {
  const waiting: { readonly part: number; readonly begin: () => void }[] = []
  let free = most
  const next = () => {
    for (let first = waiting[0]; first !== undefined && first.part <= free; first = waiting[0]) {
      waiting.shift()
      free -= first.part
      first.begin()
    }
  }
  return async (task, share = 1) => {
    const part = Math.min(share, most)
    if (waiting.length === 0 && part <= free) free -= part
    else await new Promise<void>((begin) => waiting.push({ part, begin }))
    try {
      return await task()
    } finally {
      free += part
      next()
    }
  }
}
