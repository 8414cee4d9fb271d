import { GuestError } from '../guest.ts'

/** Answers a list of questions together, each with its answer or the error that it alone ends in. */
export type Answerer<Question, Answer> = (
  questions: readonly Question[],
) => Promise<readonly (Answer | GuestError | undefined)[]>

/** Collects the questions of one turn of the event loop and has them answered together. */
export function batched<Question, Answer extends object>(
  answer: Answerer<Question, Answer>,
): (question: Question) => Promise<Answer | undefined> {
  interface Waiting {
    readonly question: Question
    readonly resolve: (answer: Answer | undefined) => void
    readonly reject: (error: unknown) => void
  }
  let waiting: Waiting[] = []
  const flush = async () => {
    const asked = waiting
    waiting = []
    try {
      const answers = await answer(asked.map((one) => one.question))
      for (const [index, one] of asked.entries()) {
        const found = answers[index]
        if (found instanceof GuestError) one.reject(found)
        else one.resolve(found)
      }
    } catch (error) {
      for (const one of asked) one.reject(error)
    }
  }
  return (question) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(() => void flush())
      waiting.push({ question, resolve, reject })
    })
}

/** Splits a list into pieces whose sizes add up to at most this much; one that is larger stands alone. */
export function pieces<Item>(items: readonly Item[], most: number, sizeOf: (item: Item) => number): Item[][] {
  const found: Item[][] = []
  let room = 0
  for (const item of items) {
    const size = sizeOf(item)
    const last = found.at(-1)
    if (last && size <= room) {
      last.push(item)
      room -= size
    } else {
      found.push([item])
      room = most - size
    }
  }
  return found
}
