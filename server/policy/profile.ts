import type { Comparison, Condition, Count, Policy, Rule } from '../documents/policy.ts'
import { elementType, type FactType, listOf, majorType, pointerType, valueType } from './fact-types.ts'
import { parseTemplate } from './template.ts'

/** A problem inside a policy, by the tokens of its place; the loader adds file, line and column. */
export interface PolicyProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

type Place = readonly (string | number)[]
type Report = (path: Place, message: string) => void

interface Context {
  readonly policy: Policy
  readonly report: Report
  /** The list whose elements are spoken of, inside where. */
  readonly list: FactType | undefined
}

const orders = ['lessThan', 'lessThanInclusive', 'greaterThan', 'greaterThanInclusive']

function typeAt(fact: string, path: string, context: Context): FactType | undefined {
  if (fact === 'element') return context.list === undefined ? undefined : elementType(context.list, path)
  if (fact !== 'parameters') return pointerType(`/${fact}${path}`)
  const name = path.slice(1)
  return valueType(Object.hasOwn(context.policy.parameters, name) ? context.policy.parameters[name]?.value : undefined)
}

function valuesOf(type: FactType): readonly string[] | undefined {
  return type.kind === 'string' ? type.values : undefined
}

/** The type that the expected value must have for an operator on this fact; undefined when the operator does not fit. */
function expectedType(operator: string, fact: FactType): FactType | undefined {
  const [decorator, inner] = operator.includes(':') ? operator.split(':') : [undefined, operator]
  if (decorator !== undefined && !(fact.kind === 'string' && fact.version)) return undefined
  const side: FactType = decorator === 'major' ? majorType : fact
  const scalar = side.kind === 'string' || side.kind === 'integer' || side.kind === 'boolean'
  if (inner === 'equal' || inner === 'notEqual') return scalar ? side : undefined
  if (inner === 'in' || inner === 'notIn') return scalar ? listOf(side) : undefined
  if (inner === 'contains' || inner === 'doesNotContain') return side.kind === 'list' ? side.of : undefined
  if (orders.includes(inner ?? '')) return side.kind === 'integer' || decorator === 'version' ? side : undefined
  return undefined
}

function fits(expected: FactType, given: FactType): boolean {
  if (expected.kind === 'list')
    return given.kind === 'list' && expected.of !== undefined && given.of !== undefined && fits(expected.of, given.of)
  if (expected.kind === 'string' && expected.version) return given.kind === 'string' && given.version
  return expected.kind === given.kind
}

function checkConstant(value: unknown, expected: FactType, path: Place, report: Report): void {
  if (Array.isArray(value)) {
    const of = expected.kind === 'list' ? expected.of : undefined
    if (of === undefined) return report(path, 'A list can only be compared with in and notIn.')
    for (const [index, element] of value.entries()) checkConstant(element, of, [...path, index], report)
    return
  }
  const given = valueType(value)
  if (given === undefined || !fits(expected, given)) {
    return report(
      path,
      `The value is a ${given?.kind ?? 'nothing'}; the fact and the operator want a ${expected.kind}.`,
    )
  }
  const values = valuesOf(expected)
  if (values !== undefined && !values.includes(String(value))) {
    report(path, `The fact can never have this value; it is one of ${values.join(', ')}.`)
  }
}

function checkComparison(leaf: Comparison, path: Place, context: Context): void {
  const type = typeAt(leaf.fact, leaf.path, context)
  if (type === undefined) {
    const where = leaf.fact === 'element' ? `${leaf.path} of the element` : `/${leaf.fact}${leaf.path}`
    return context.report([...path, 'path'], `No fact is known at ${where}.`)
  }
  const expected = expectedType(leaf.operator, type)
  if (expected === undefined) {
    return context.report([...path, 'operator'], `The operator ${leaf.operator} does not fit a ${type.kind}.`)
  }
  const { value } = leaf
  if (typeof value !== 'object' || Array.isArray(value)) {
    return checkConstant(value, expected, [...path, 'value'], context.report)
  }
  const given = typeAt(value.fact, value.path, context)
  if (given === undefined) {
    return context.report([...path, 'value', 'path'], `Nothing is known at /${value.fact}${value.path}.`)
  }
  if (value.fact === 'parameters') {
    const parameter = context.policy.parameters[value.path.slice(1)]?.value
    return checkConstant(parameter, expected, [...path, 'value'], context.report)
  }
  if (!fits(expected, given)) {
    context.report(
      [...path, 'value'],
      `The value is a ${given.kind}; the fact and the operator want a ${expected.kind}.`,
    )
  }
}

function checkCount(leaf: Count, path: Place, context: Context): void {
  const list = pointerType(leaf.params.of)
  if (context.list !== undefined) return context.report(path, 'A count cannot stand inside a count.')
  if (list?.kind !== 'list' || list.of?.kind !== 'object') {
    return context.report([...path, 'params', 'of'], `There is no list of objects at ${leaf.params.of}.`)
  }
  checkCondition(leaf.params.where, [...path, 'params', 'where'], { ...context, list })
}

function checkCondition(condition: Condition, path: Place, context: Context): void {
  if ('all' in condition) {
    for (const [index, child] of condition.all.entries()) checkCondition(child, [...path, 'all', index], context)
  } else if ('any' in condition) {
    for (const [index, child] of condition.any.entries()) checkCondition(child, [...path, 'any', index], context)
  } else if ('not' in condition) checkCondition(condition.not, [...path, 'not'], context)
  else if (condition.fact === 'count') checkCount(condition, path, context)
  else checkComparison(condition, path, context)
}

function countedLists(condition: Condition): string[] {
  if ('all' in condition) return condition.all.flatMap(countedLists)
  if ('any' in condition) return condition.any.flatMap(countedLists)
  if ('not' in condition) return countedLists(condition.not)
  return condition.fact === 'count' ? [condition.params.of] : []
}

function checkTemplate(template: string, path: Place, rule: Rule, context: Context): void {
  const lists = [rule.conditions, ...(rule.appliesWhen === undefined ? [] : [rule.appliesWhen])].flatMap(countedLists)
  try {
    for (const part of parseTemplate(template)) {
      if (typeof part === 'string') continue
      const [first = '', ...rest] = part.path.split('/').slice(1)
      const known =
        part.of === 'document'
          ? typeAt(first, rest.map((token) => `/${token}`).join(''), context)
          : lists.map(pointerType).find((list) => list && (part.path === '' || elementType(list, part.path)))
      if (known === undefined) context.report(path, `The placeholder ${part.of} ${part.path} leads to no known fact.`)
      else if (part.of === 'document' && known.kind === 'object')
        context.report(path, `${part.path} is no single value.`)
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    context.report(path, error.message)
  }
}

function checkRule(rule: Rule, path: Place, context: Context): void {
  if (!rule.id.startsWith(`${context.policy.family}.`)) {
    context.report([...path, 'id'], `A rule's id begins with its family: ${context.policy.family}.`)
  }
  if (rule.appliesWhen !== undefined) checkCondition(rule.appliesWhen, [...path, 'appliesWhen'], context)
  checkCondition(rule.conditions, [...path, 'conditions'], context)
  if (rule.notApplicable !== undefined) checkTemplate(rule.notApplicable, [...path, 'notApplicable'], rule, context)
  for (const [index, one] of rule.cases.entries()) {
    const place = [...path, 'cases', index]
    const last = index === rule.cases.length - 1
    if (one.when !== undefined) checkCondition(one.when, [...place, 'when'], context)
    if (last !== (one.when === undefined)) {
      context.report(place, last ? 'The last case has no when: it is what remains.' : 'Only the last case has no when.')
    }
    checkTemplate(one.message, [...place, 'message'], rule, context)
    for (const [step, text] of one.remediation.steps.entries()) {
      checkTemplate(text, [...place, 'remediation', 'steps', step], rule, context)
    }
    if (one.remediation.command !== undefined) {
      checkTemplate(one.remediation.command, [...place, 'remediation', 'command'], rule, context)
    }
  }
}

/**
 * Checks what the schema cannot: that every path is a known fact, every operator and value fits its type, every
 * placeholder leads somewhere, and ids are unique. With it none of json-rules-engine's traps can be written.
 */
export function profileProblems(policy: Policy): PolicyProblem[] {
  const problems: PolicyProblem[] = []
  const report: Report = (path, message) => problems.push({ path, message })
  const context: Context = { policy, report, list: undefined }
  const seen = new Set<string>()
  for (const [index, rule] of policy.rules.entries()) {
    if (seen.has(rule.id)) report(['rules', index, 'id'], `The id ${rule.id} stands twice.`)
    seen.add(rule.id)
    checkRule(rule, ['rules', index], context)
  }
  if (policy.alternatives !== undefined && !seen.has(policy.alternatives.whenFails)) {
    report(['alternatives', 'whenFails'], `There is no rule ${policy.alternatives.whenFails}.`)
  }
  return problems
}
