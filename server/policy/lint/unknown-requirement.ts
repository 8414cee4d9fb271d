import { nearest } from '../nearest.ts'
import { meantMend } from './head.ts'
import type { PolicyRule } from './subject.ts'

/** A rule that cites what the list of requirements does not have. */
export const unknownRequirement: PolicyRule = {
  head: {
    code: 'unknown-requirement',
    severity: 'error',
    says: 'A rule cites an id that requirements.yaml does not have.',
    mend: 'Cite an id of requirements.yaml, or add the statement there.',
  },
  check({ policy, requirements }) {
    if (requirements === undefined) return []
    const known = requirements.requirements.map(({ id }) => id)
    const ofFamily = requirements.requirements
      .filter(({ families }) => families.includes(policy.family))
      .map(({ id }) => id)
    return policy.rules.flatMap((rule, index) =>
      rule.requirements.flatMap((id, position) => {
        if (known.includes(id)) return []
        const place = ['rules', index, 'requirements', position]
        return [{ place, message: `There is no requirement ${id}.`, ...meantMend(nearest(id, ofFamily)) }]
      }),
    )
  },
}
