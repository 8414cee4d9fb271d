import type { PolicyRule } from './subject.ts'

/** A policy in force before what it quotes was published. */
export const inForceTooEarly: PolicyRule = {
  head: {
    code: 'in-force-too-early',
    severity: 'warning',
    says: 'A policy is in force before the revision of a source that it quotes.',
    mend: 'Correct effectiveFrom, or the revision.',
  },
  check({ policy }) {
    const latest = policy.rules
      .map(({ source }) => source.revision)
      .sort()
      .at(-1)
    if (latest === undefined || policy.effectiveFrom.slice(0, 10) >= latest) return []
    return [
      {
        place: ['effectiveFrom'],
        message: `It is in force from ${policy.effectiveFrom} and quotes a source of ${latest}.`,
      },
    ]
  },
}
