import type { PolicyRule } from './subject.ts'

/** A statement about the family that no rule judges. */
export const uncoveredRequirement: PolicyRule = {
  head: {
    code: 'uncovered-requirement',
    severity: 'error',
    says: "No rule cites a requirement of the policy's family.",
    mend: 'Cite it in the rule that judges it, or add that rule.',
  },
  check({ policy, requirements, whole }) {
    // A rule that cannot be read may be the one that cites it.
    if (!whole || requirements === undefined) return []
    const cited = new Set(policy.rules.flatMap((rule) => rule.requirements))
    return requirements.requirements
      .filter(({ id, families }) => families.includes(policy.family) && !cited.has(id))
      .map(({ id, statement }) => ({ place: ['rules'], message: `No rule cites ${id}: ${statement}.` }))
  },
}
