import { parametersOf } from '../scope.ts'
import { together, varyingRules } from './rule-truths.ts'
import type { PolicyRule } from './subject.ts'

/** A rule that passes wherever it applies. */
export const ruleNeverFails: PolicyRule = {
  head: {
    code: 'rule-never-fails',
    severity: 'warning',
    says: 'Where appliesWhen is true the conditions are never false.',
    mend: 'Correct appliesWhen or the conditions: they say the same.',
  },
  check(subject) {
    const parameters = parametersOf(subject.policy)
    return varyingRules(subject).flatMap(([index, { appliesWhen, conditions }]) => {
      if (appliesWhen === undefined) return []
      const wanted = [
        { condition: appliesWhen, truth: true },
        { condition: conditions, truth: false },
      ]
      if (together(wanted, [], parameters) !== 'none') return []
      return [{ place: ['rules', index, 'conditions'], message: 'They are true or unknown wherever the rule applies.' }]
    })
  },
}
