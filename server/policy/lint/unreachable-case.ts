import { parametersOf } from '../scope.ts'
import { together, varyingRules } from './rule-truths.ts'
import type { PolicyRule } from './subject.ts'

/** A case whose when is true only where the rule does not fail. */
export const unreachableCase: PolicyRule = {
  head: {
    code: 'unreachable-case',
    severity: 'warning',
    says: 'The when of a case is never true where the rule fails.',
    mend: 'Correct the when, or remove the case: a case is taken only when the rule fails.',
  },
  check(subject) {
    const parameters = parametersOf(subject.policy)
    return varyingRules(subject).flatMap(([index, { appliesWhen, conditions, cases }]) =>
      cases.flatMap(({ when }, position) => {
        if (when === undefined) return []
        const wanted = [
          { condition: when, truth: true },
          { condition: conditions, truth: false },
          ...(appliesWhen === undefined ? [] : [{ condition: appliesWhen, truth: true }]),
        ]
        if (together(wanted, [], parameters) !== 'none') return []
        const place = ['rules', index, 'cases', position, 'when']
        return [
          { place, message: `Case ${position + 1} is never taken: where its when is true, the rule does not fail.` },
        ]
      }),
    )
  },
}
