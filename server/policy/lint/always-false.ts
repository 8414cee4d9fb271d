import { renderCondition } from '../render.ts'
import { constantsIn } from './constancy.ts'
import type { PolicyRule } from './subject.ts'

/** A condition is true of no document. */
export const alwaysFalse: PolicyRule = {
  head: {
    code: 'always-false',
    severity: 'error',
    says: 'A condition is true of no document.',
    mend: 'Correct its values, or remove it.',
  },
  check(subject) {
    const found = constantsIn(subject).filter(({ kind }) => kind === 'false')
    return found.map(({ node: { condition, place } }) => {
      return { place, message: `It can never be true: ${renderCondition(condition)}.` }
    })
  },
}
