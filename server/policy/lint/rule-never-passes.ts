import { parametersOf } from '../scope.ts'
import { together, varyingRules } from './rule-truths.ts'
import type { PolicyRule } from './subject.ts'

/** A rule that fails wherever it applies. */
export const ruleNeverPasses: PolicyRule = {
  head: {
    code: 'rule-never-passes',
    severity: 'note',
    says: 'Where appliesWhen is true the conditions are never true.',
    mend: 'Nothing, if the rule shall only tell; else correct appliesWhen or the conditions.',
  },
  check(subject) {
    const parameters = parametersOf(subject.policy)
    return varyingRules(subject).flatMap(([index, { appliesWhen, conditions }]) => {
      if (appliesWhen === undefined) return []
      const wanted = [
        { condition: appliesWhen, truth: true },
        { condition: conditions, truth: true },
      ]
      if (together(wanted, [], parameters) !== 'none') return []
      return [
        { place: ['rules', index, 'conditions'], message: 'They are false or unknown wherever the rule applies.' },
      ]
    })
  },
}
