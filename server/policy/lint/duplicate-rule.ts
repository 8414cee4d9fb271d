import type { Rule } from '../../documents/policy.ts'
import { canonicalCondition } from './canonical.ts'
import type { PolicyRule } from './subject.ts'

function meaningOf({ appliesWhen, conditions }: Rule): string {
  return `${appliesWhen === undefined ? '' : canonicalCondition(appliesWhen)} => ${canonicalCondition(conditions)}`
}

/** Two rules that judge the same. */
export const duplicateRule: PolicyRule = {
  head: {
    code: 'duplicate-rule',
    severity: 'warning',
    says: 'Two rules apply to the same images and demand the same.',
    mend: 'Join them: one rule may cite several requirements.',
  },
  check({ sound }) {
    const seen = new Map<string, string>()
    return [...sound].flatMap(([index, rule]) => {
      const meaning = meaningOf(rule)
      const first = seen.get(meaning)
      if (first === undefined) seen.set(meaning, rule.id)
      const place = ['rules', index, 'conditions']
      return first === undefined ? [] : [{ place, message: `${rule.id} demands the same as ${first}.` }]
    })
  },
}
