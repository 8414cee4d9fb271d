import type { Volume } from '../../documents/facts.ts'
import { missingFrom } from '../disk/partitions.ts'
import type { Missing } from '../part.ts'

/** One group of facts of a volume, asked of one program, and the pointer that stands for it when it fails. */
export interface Question {
  readonly pointer: string
  readonly ask: () => Promise<Volume>
}

/** Asks all questions at once; what fails becomes a missing entry and the rest goes on. */
export async function settle(
  questions: readonly Question[],
): Promise<{ readonly facts: Volume; readonly missing: readonly Missing[] }> {
  const answers = await Promise.allSettled(questions.map((question) => question.ask()))
  let facts: Volume = {}
  const missing: Missing[] = []
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 'fulfilled') facts = { ...facts, ...answer.value }
    else missing.push(missingFrom(answer.reason, questions[index]?.pointer ?? ''))
  }
  return { facts, missing }
}
