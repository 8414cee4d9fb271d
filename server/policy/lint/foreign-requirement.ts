import type { PolicyRule } from './subject.ts'

/** A rule that cites a statement about other systems. */
export const foreignRequirement: PolicyRule = {
  head: {
    code: 'foreign-requirement',
    severity: 'error',
    says: 'A rule cites a requirement that requirements.yaml does not give to its family.',
    mend: 'Cite a requirement of this family, or add the family there.',
  },
  check({ policy, requirements }) {
    return policy.rules.flatMap((rule, index) =>
      rule.requirements.flatMap((id, position) => {
        const known = requirements?.requirements.find((one) => one.id === id)
        if (known === undefined || known.families.includes(policy.family)) return []
        const whose = known.families.length === 0 ? 'none: it never fails' : known.families.join(', ')
        const place = ['rules', index, 'requirements', position]
        return [{ place, message: `${id} is no requirement of ${policy.family}. Its families: ${whose}.` }]
      }),
    )
  },
}
