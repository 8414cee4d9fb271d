import type { Found } from './head.ts'
import type { PolicyRule } from './subject.ts'

/** A rule that quotes another document, or another revision of it, than the requirements that it cites come from. */
export const sourceDiffers: PolicyRule = {
  head: {
    code: 'source-differs',
    severity: 'warning',
    says: 'A rule cites requirements of one document or revision and names another as its source.',
    mend: 'Name the document and the revision that requirements.yaml names.',
  },
  check({ policy, requirements }) {
    if (requirements === undefined) return []
    return policy.rules.flatMap(({ source }, index) =>
      (['document', 'revision'] as const).flatMap((name): Found[] => {
        if (source[name] === requirements[name]) return []
        const message = `It names ${source[name]}; the requirements are of ${requirements[name]}.`
        return [{ place: ['rules', index, 'source', name], message }]
      }),
    )
  },
}
