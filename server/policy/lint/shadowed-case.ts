import type { Condition, Rule } from '../../documents/policy.ts'
import { parametersOf } from '../scope.ts'
import type { Found } from './head.ts'
import { together, varyingRules } from './rule-truths.ts'
import type { PolicyRule } from './subject.ts'

type Parameters = Readonly<Record<string, unknown>>

function shadows(rule: Rule, index: number, parameters: Parameters): Found[] {
  const before: Condition[] = []
  return rule.cases.flatMap(({ when }, position): Found[] => {
    if (when === undefined) return []
    const earlier = [...before]
    before.push(when)
    if (earlier.length === 0 || together([{ condition: when, truth: true }], earlier, parameters) !== 'none') return []
    const alone = earlier.findIndex((one) => together([{ condition: when, truth: true }], [one], parameters) === 'none')
    const which = alone === -1 ? 'the cases before it' : `case ${alone + 1}`
    const message = `Case ${position + 1} is never taken: wherever its when is true, ${which} is taken first.`
    return [{ place: ['rules', index, 'cases', position, 'when'], message }]
  })
}

/** A case that an earlier one always takes the place of. */
export const shadowedCase: PolicyRule = {
  head: {
    code: 'shadowed-case',
    severity: 'warning',
    says: 'An earlier case is taken wherever the when of this one is true.',
    mend: 'Put it before the more general case, or remove it.',
  },
  check(subject) {
    const parameters = parametersOf(subject.policy)
    return varyingRules(subject).flatMap(([index, rule]) => shadows(rule, index, parameters))
  },
}
