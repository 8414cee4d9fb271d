import type { PolicyRule } from './subject.ts'

const strength = ['inform', 'warn', 'block']

/** A rule that lets pass for want of facts what it would not let pass with them. */
export const softUnknown: PolicyRule = {
  head: {
    code: 'soft-unknown',
    severity: 'note',
    says: 'The effect of unknown is softer than that of fail.',
    mend: 'Nothing, if it is meant: an image without these facts is judged more mildly than one that fails.',
  },
  check({ policy }) {
    return policy.rules.flatMap(({ effect }, index) => {
      if (strength.indexOf(effect.unknown) >= strength.indexOf(effect.fail)) return []
      const message = `A fail is to ${effect.fail}, an unknown only to ${effect.unknown}.`
      return [{ place: ['rules', index, 'effect', 'unknown'], message }]
    })
  },
}
