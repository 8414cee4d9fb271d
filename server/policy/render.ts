import type { Comparison, Condition, Count } from '../documents/policy.ts'

function renderValue(value: Comparison['value'] | Count['value']): string {
  if (typeof value === 'object' && !Array.isArray(value)) return `${value.fact}${value.path}`
  return JSON.stringify(value)
}

function renderMany(conditions: readonly Condition[], word: string): string {
  const texts = conditions.map(renderCondition)
  return texts.length === 1 ? (texts[0] ?? '') : `(${texts.join(` ${word} `)})`
}

/** A condition as one line of text, for evidence: what a count counted. */
export function renderCondition(condition: Condition): string {
  if ('all' in condition) return renderMany(condition.all, 'and')
  if ('any' in condition) return renderMany(condition.any, 'or')
  if ('not' in condition) return `not ${renderCondition(condition.not)}`
  if (condition.fact === 'count') {
    const counted = `count of ${condition.params.of} where ${renderCondition(condition.params.where)}`
    return `${counted} ${condition.operator} ${condition.value}`
  }
  const left = condition.fact === 'element' ? condition.path.slice(1) : `/${condition.fact}${condition.path}`
  return `${left} ${condition.operator} ${renderValue(condition.value)}`
}
