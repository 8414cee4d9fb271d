import type { FactType } from '../fact-types.ts'
import { parametersOf } from '../scope.ts'
import { impossibleConstants } from './constant-leaves.ts'
import type { PolicyRule } from './subject.ts'
import { allNodes } from './trees.ts'

function boundsText(type: FactType): string {
  if (type.kind === 'integer') return `It is from ${type.minimum} to ${type.maximum}.`
  if (type.kind !== 'string') return 'It has another type.'
  const { minLength, maxLength, pattern } = type.text
  const length = `It has ${minLength} to ${maxLength} characters`
  return pattern === undefined ? `${length}.` : `${length} and matches ${pattern.source}.`
}

/** A value that the schema's bounds keep a fact from ever having. */
export const valueOutOfRange: PolicyRule = {
  head: {
    code: 'value-out-of-range',
    severity: 'error',
    says: "A fact is compared with a value outside its schema's bounds or pattern.",
    mend: 'Give a value that the fact can have.',
  },
  check(subject) {
    const parameters = parametersOf(subject.policy)
    return allNodes(subject).flatMap((node) =>
      impossibleConstants(node, parameters).map(({ value, place, type }) => {
        return { place, message: `The fact can never be ${JSON.stringify(value)}. ${boundsText(type)}` }
      }),
    )
  },
}
