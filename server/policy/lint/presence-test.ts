import { renderCondition } from '../render.ts'
import { constantsIn } from './constancy.ts'
import type { PolicyRule } from './subject.ts'

/** A comparison lists every value that the fact can have, so it is true or unknown. */
export const presenceTest: PolicyRule = {
  head: {
    code: 'presence-test',
    severity: 'note',
    says: 'A comparison lists every value that the fact can have, so it is true or unknown.',
    mend: 'Nothing, if the rule shall only wait for the fact; else leave out a value.',
  },
  check(subject) {
    const found = constantsIn(subject).filter(({ kind }) => kind === 'presence')
    return found.map(({ node: { condition, place } }) => {
      return { place, message: `It is true as soon as the fact is known: ${renderCondition(condition)}.` }
    })
  },
}
