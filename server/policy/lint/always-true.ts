import { renderCondition } from '../render.ts'
import { constantsIn } from './constancy.ts'
import type { PolicyRule } from './subject.ts'

/** A condition is true of every document that states its facts. */
export const alwaysTrue: PolicyRule = {
  head: {
    code: 'always-true',
    severity: 'warning',
    says: 'A condition is true of every document that states its facts.',
    mend: 'Remove the condition, or correct its values.',
  },
  check(subject) {
    const found = constantsIn(subject).filter(({ kind }) => kind === 'true')
    return found.map(({ node: { condition, place } }) => {
      return { place, message: `It can never be false: ${renderCondition(condition)}.` }
    })
  },
}
