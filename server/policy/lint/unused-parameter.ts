import type { Found } from './head.ts'
import { templatesOf } from './rule-texts.ts'
import type { PolicyRule } from './subject.ts'
import { allNodes } from './trees.ts'

/** A parameter that nothing reads. */
export const unusedParameter: PolicyRule = {
  head: {
    code: 'unused-parameter',
    severity: 'warning',
    says: 'No condition reads a parameter and no text quotes it.',
    mend: 'Remove it, or compare with it.',
  },
  check(subject) {
    const { policy, sound, whole } = subject
    // A rule that cannot be read may be the one that reads it.
    if (!whole || sound.size < policy.rules.length) return []
    const read = allNodes(subject).flatMap(({ condition }) => {
      if (!('fact' in condition) || condition.fact === 'count') return []
      const { fact, path, value } = condition
      const other = typeof value === 'object' && !Array.isArray(value) ? [`/${value.fact}${value.path}`] : []
      return [`/${fact}${path}`, ...other]
    })
    const texts = [...sound].flatMap(([index, rule]) => templatesOf(rule, index).map(({ text }) => text)).join('\n')
    const isUsed = (name: string) =>
      read.includes(`/parameters/${name}`) || new RegExp(`\\{/parameters/${name}[|}]`).test(texts)
    return Object.keys(policy.parameters)
      .filter((name) => !isUsed(name))
      .map((name): Found => ({ place: ['parameters', name], message: `Nothing reads the parameter ${name}.` }))
  },
}
