import type { Comparison, Condition } from '../../documents/policy.ts'

function canonicalValue(value: Comparison['value']): string {
  if (Array.isArray(value))
    return `[${value
      .map((one) => JSON.stringify(one))
      .sort()
      .join()}]`
  return typeof value === 'object' ? `${value.fact} ${value.path}` : JSON.stringify(value)
}

/** A condition as a text that does not depend on the order of what stands under all, any and in a list. */
export function canonicalCondition(condition: Condition): string {
  if ('all' in condition) return `all(${condition.all.map(canonicalCondition).sort().join()})`
  if ('any' in condition) return `any(${condition.any.map(canonicalCondition).sort().join()})`
  if ('not' in condition) return `not(${canonicalCondition(condition.not)})`
  if (condition.fact !== 'count') {
    return `${condition.fact} ${condition.path} ${condition.operator} ${canonicalValue(condition.value)}`
  }
  const { of, where } = condition.params
  return `count ${of} (${canonicalCondition(where)}) ${condition.operator} ${condition.value}`
}
