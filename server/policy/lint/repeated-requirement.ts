import type { PolicyRule } from './subject.ts'

/** A rule that cites one statement twice. */
export const repeatedRequirement: PolicyRule = {
  head: {
    code: 'repeated-requirement',
    severity: 'warning',
    says: 'A rule cites a requirement twice.',
    mend: 'Remove one, or cite the one that was meant.',
  },
  check({ policy }) {
    return policy.rules.flatMap((rule, index) =>
      rule.requirements.flatMap((id, position, all) =>
        all.indexOf(id) === position
          ? []
          : [{ place: ['rules', index, 'requirements', position], message: `${id} is cited before.` }],
      ),
    )
  },
}
