import type { Volume } from '../../documents/facts.ts'
import { missingFrom } from '../disk/partitions.ts'
import type { Missing } from '../part.ts'
import type { Checked, VolumeReading, VolumeSource } from './volume.ts'

/** One group of facts of a volume, asked of one program, and the pointer that stands for it when it fails. */
export interface Question {
  readonly pointer: string
  readonly ask: () => Promise<Volume>
}

/** Starts a full check where it is wanted, so that it runs beside whatever else is asked. */
export function startCheck(
  { check }: Pick<VolumeSource, 'check'>,
  ask: () => Promise<Volume>,
): Pick<VolumeReading, 'checking'> {
  if (!check) return {}
  const checking = settle([{ pointer: '/check', ask }])
  // Whoever waits for it learns of a failure; until then it only must not be unhandled.
  checking.catch(() => undefined)
  return { checking }
}

/** Asks all questions at once; what fails becomes a missing entry and the rest goes on. */
export async function settle(questions: readonly Question[]): Promise<Checked> {
  const answers = await Promise.allSettled(questions.map((question) => question.ask()))
  let facts: Volume = {}
  const missing: Missing[] = []
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 'fulfilled') facts = { ...facts, ...answer.value }
    else missing.push(missingFrom(answer.reason, questions[index]?.pointer ?? ''))
  }
  return { facts, missing }
}
