import { elementType, type FactType, pointerType, valueType } from '../fact-types.ts'
import { type Placeholder, parseTemplate } from '../template.ts'
import { templatesOf } from './rule-texts.ts'
import type { PolicyRule, Subject } from './subject.ts'
import { nodesOf, treesOf } from './trees.ts'

function typeOf({ of, path }: Placeholder, lists: readonly string[], { policy }: Subject): FactType | undefined {
  if (of !== 'document') {
    const types = lists.map(pointerType).flatMap((list) => (list === undefined ? [] : [elementType(list, path)]))
    return types.find((type) => type !== undefined)
  }
  if (!path.startsWith('/parameters/')) return pointerType(path)
  return valueType(policy.parameters[path.slice('/parameters/'.length)]?.value)
}

/** The format that a value of this type can be written in. */
function fits(format: Placeholder['format'], type: FactType | undefined): boolean {
  if (type === undefined || format === undefined || format === 'plain') return true
  if (format === 'list') return type.kind === 'list'
  return type.kind === 'integer'
}

/** A placeholder whose format does nothing for its value. */
export const formatMisfit: PolicyRule = {
  head: {
    code: 'format-misfit',
    severity: 'warning',
    says: 'The format of a placeholder does not fit the type of what it quotes.',
    mend: 'Use bytes and integer for integers, list for lists, plain or none for texts.',
  },
  check(subject) {
    return [...subject.sound].flatMap(([index, rule]) => {
      const conditions = treesOf(rule, index).flatMap(nodesOf)
      const lists = [...new Set(conditions.flatMap(({ list }) => (list === undefined ? [] : [list])))]
      return templatesOf(rule, index).flatMap(({ text, place }) =>
        parseTemplate(text).flatMap((part) => {
          if (typeof part === 'string') return []
          const type = typeOf(part, lists, subject)
          if (fits(part.format, type)) return []
          return [{ place, message: `The format ${part.format} does not fit ${part.path}, a ${type?.kind}.` }]
        }),
      )
    })
  },
}
