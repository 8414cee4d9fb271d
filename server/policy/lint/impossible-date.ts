import type { PolicyRule } from './subject.ts'

function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`)
  // Date takes the 31st of a short month for the first of the next.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

/** A date that no calendar has. */
export const impossibleDate: PolicyRule = {
  head: {
    code: 'impossible-date',
    severity: 'error',
    says: "The revision of a rule's source is no date of the calendar.",
    mend: 'Write the date of the revision, such as 2020-12-30.',
  },
  check({ policy }) {
    return policy.rules.flatMap(({ source }, index) =>
      isDate(source.revision)
        ? []
        : [{ place: ['rules', index, 'source', 'revision'], message: `${source.revision} is no date.` }],
    )
  },
}
