import { renderCondition } from '../render.ts'
import { constantsIn } from './constancy.ts'
import type { PolicyRule } from './subject.ts'

/** Conditions of one all can each be true, but never together. */
export const contradiction: PolicyRule = {
  head: {
    code: 'contradiction',
    severity: 'error',
    says: 'Conditions of one all can each be true, but never together.',
    mend: 'Correct the bounds or values that exclude one another, or write any.',
  },
  check(subject) {
    const found = constantsIn(subject).filter(({ kind }) => kind === 'contradiction')
    return found.map(({ node: { condition, place } }) => {
      return { place, message: `These can never be true together: ${renderCondition(condition)}.` }
    })
  },
}
