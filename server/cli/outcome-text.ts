import type { Verdict } from '../documents/verdict.ts'
import type { Paint } from './colour.ts'

type Outcome = Verdict['outcome']

const words: Readonly<Record<Outcome, { text: string; style: Parameters<Paint>[0]; meaning: string }>> = {
  ready: {
    text: 'READY',
    style: ['bold', 'green'],
    meaning: 'Every blocking and every warning rule is met: by this policy nothing stands against the import.',
  },
  ready_with_warnings: {
    text: 'READY WITH WARNINGS',
    style: ['bold', 'yellow'],
    meaning: 'Every blocking rule is met: by this policy the image can be imported. Read the warnings first.',
  },
  undetermined: {
    text: 'UNDETERMINED',
    style: ['bold', 'magenta'],
    meaning: 'No blocking rule failed, but facts are missing: collect them and evaluate again.',
  },
  not_ready: {
    text: 'NOT READY',
    style: ['bold', 'red'],
    meaning: 'At least one blocking rule failed: mend what is listed below, then evaluate again.',
  },
}

function isOutcome(text: string): text is Outcome {
  return Object.hasOwn(words, text)
}

/** An outcome as a word of its colour; an unknown one as it is. */
export function outcomeWord(outcome: string, paint: Paint): string {
  return isOutcome(outcome) ? paint(words[outcome].style, words[outcome].text) : outcome
}

/** An outcome as plain words. */
export function outcomeText(outcome: Outcome): string {
  return words[outcome].text
}

/** What an outcome means, in one sentence. */
export function outcomeMeaning(outcome: Outcome): string {
  return words[outcome].meaning
}
