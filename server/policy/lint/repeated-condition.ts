import { canonicalCondition } from './canonical.ts'
import type { PolicyRule } from './subject.ts'
import { allNodes, childrenOf } from './trees.ts'

/** The same condition twice under one all or any. */
export const repeatedCondition: PolicyRule = {
  head: {
    code: 'repeated-condition',
    severity: 'warning',
    says: 'A condition stands twice under one all or any.',
    mend: 'Remove one, or correct what should differ.',
  },
  check(subject) {
    return allNodes(subject).flatMap((node) => {
      const seen = new Set<string>()
      return childrenOf(node).flatMap(({ condition, place }) => {
        const text = canonicalCondition(condition)
        const twice = seen.has(text)
        seen.add(text)
        return twice ? [{ place, message: 'The same condition stands here before.' }] : []
      })
    })
  },
}
