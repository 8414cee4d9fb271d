import type { Evidence } from '../documents/verdict.ts'
import { quoteText } from '../policy/text.ts'
import { safeText } from './escape.ts'

type Value = NonNullable<Evidence['observed'] | Evidence['expected']>

const maxListed = 16

function listed(values: readonly string[]): string {
  const more = values.length > maxListed ? ` and ${values.length - maxListed} more` : ''
  return `${values.slice(0, maxListed).join(', ')}${more}`
}

function shown(value: Value): string {
  if (typeof value === 'string') return quoteText(value)
  if (Array.isArray(value)) return `[${listed(value.map(shown))}]`
  if (typeof value === 'object') return `between ${value.atLeast} and ${value.atMost}`
  return String(value)
}

function places(pointers: readonly string[] | undefined, word: string): string {
  return pointers === undefined || pointers.length === 0 ? '' : `, ${word} ${listed(pointers.map(safeText))}`
}

function found({ absent, observed, truncated }: Evidence): string {
  if (absent === true || observed === undefined) return 'was not collected'
  return `is ${shown(observed)}${truncated === true ? ' (cut)' : ''}`
}

function wanted({ expected, expectedFrom, holds, operator }: Evidence): string {
  const value = expected === undefined ? 'a value that was not collected' : shown(expected)
  const from = expectedFrom === undefined ? '' : ` (${safeText(expectedFrom)})`
  // A comparison that holds and yet decided against the rule stands under a not.
  const word = holds === 'true' ? 'not expected' : 'expected'
  return `${word} ${safeText(operator.replace(/^count /, ''))} ${value}${from}`
}

/** One comparison of a finding that is no pass, each part safe to show. */
export interface EvidenceParts {
  /** Where the value stands. */
  readonly subject: string
  /** What was found there, beginning with a verb. */
  readonly found: string
  /** What it was compared with. */
  readonly wanted: string
}

/** A comparison in its parts: where, what was found, what was expected. */
export function evidenceParts(leaf: Evidence): EvidenceParts {
  const pointer = safeText(leaf.pointer)
  const subject = leaf.where === undefined ? pointer : `count of ${pointer} where ${safeText(leaf.where)}`
  const elements = `${places(leaf.selected, 'namely')}${places(leaf.undecided, 'undecided')}`
  return { subject, found: `${found(leaf)}${elements}`, wanted: wanted(leaf) }
}

/** The same in a line. */
export function evidenceText(leaf: Evidence): string {
  const { subject, found, wanted } = evidenceParts(leaf)
  return `${subject} ${found}; ${wanted}`
}
