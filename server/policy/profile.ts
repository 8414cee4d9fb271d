import type { Comparison, Condition, Count, Policy, Rule } from '../documents/policy.ts'
import { pointerTo } from '../facts/pointer.ts'
import {
  elementPointers,
  elementType,
  type FactType,
  knownPointers,
  listOf,
  majorType,
  pointerType,
  valueType,
} from './fact-types.ts'
import { nearest } from './nearest.ts'
import { type Placeholder, parseTemplate } from './template.ts'
import type { Place } from './yaml-text.ts'

/** What kind of mistake it is, for lint. */
export type ProfileCode =
  | 'unknown-path'
  | 'unknown-parameter'
  | 'unknown-list'
  | 'unknown-placeholder'
  | 'unknown-rule'
  | 'malformed-placeholder'
  | 'placeholder-not-single'
  | 'operator-misfit'
  | 'value-type'
  | 'impossible-value'
  | 'nested-count'
  | 'duplicate-rule-id'
  | 'rule-id-family'
  | 'case-order'

/** A problem inside a policy, by the tokens of its place; the loader adds file, line and column. */
export interface PolicyProblem {
  readonly path: Place
  readonly code: ProfileCode
  readonly message: string
  /** The name that was probably meant. */
  readonly meant?: string
}

type Report = (path: Place, code: ProfileCode, message: string, meant?: string) => void

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

const pointers = knownPointers()

function objectLists(): string[] {
  return pointers.filter((pointer) => {
    const type = pointerType(pointer)
    return type?.kind === 'list' && type.of?.kind === 'object'
  })
}

/** The path that was probably meant, inside the same fact where one is near. */
function meantPath(fact: string, path: string, { list, policy }: Context): string | undefined {
  if (fact === 'element') return list === undefined ? undefined : nearest(path, elementPointers(list))
  if (fact !== 'parameters') return nearest(`/${fact}${path}`, pointers)
  return nearest(
    path,
    Object.keys(policy.parameters).map((name) => pointerTo('', name)),
  )
}

function meantPlaceholder(
  { of, path }: Placeholder,
  lists: readonly string[],
  { policy }: Context,
): string | undefined {
  const parameters = Object.keys(policy.parameters).map((name) => `/parameters/${name}`)
  const members = lists.flatMap((list) => elementPointers(pointerType(list) ?? { kind: 'object' }))
  const meant = nearest(path, of === 'document' ? [...pointers, ...parameters] : members)
  return meant === undefined ? undefined : `{${of === 'document' ? '' : of}${meant}}`
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
    if (of === undefined) return report(path, 'value-type', 'A list can only be compared with in and notIn.')
    for (const [index, element] of value.entries()) checkConstant(element, of, [...path, index], report)
    return
  }
  const given = valueType(value)
  if (given === undefined || !fits(expected, given)) {
    return report(
      path,
      'value-type',
      `The value is a ${given?.kind ?? 'nothing'}; the fact and the operator want a ${expected.kind}.`,
    )
  }
  const values = valuesOf(expected)
  if (values !== undefined && !values.includes(String(value))) {
    const message = `The fact can never have this value; it is one of ${values.join(', ')}.`
    report(path, 'impossible-value', message, nearest(String(value), values))
  }
}

function checkComparison(leaf: Comparison, path: Place, context: Context): void {
  const type = typeAt(leaf.fact, leaf.path, context)
  if (type === undefined) {
    const where = leaf.fact === 'element' ? `${leaf.path} of the element` : `/${leaf.fact}${leaf.path}`
    const code = leaf.fact === 'parameters' ? 'unknown-parameter' : 'unknown-path'
    const place = [...path, 'path']
    return context.report(place, code, `No fact is known at ${where}.`, meantPath(leaf.fact, leaf.path, context))
  }
  const expected = expectedType(leaf.operator, type)
  if (expected === undefined) {
    return context.report(
      [...path, 'operator'],
      'operator-misfit',
      `The operator ${leaf.operator} does not fit a ${type.kind}.`,
    )
  }
  const { value } = leaf
  if (typeof value !== 'object' || Array.isArray(value)) {
    return checkConstant(value, expected, [...path, 'value'], context.report)
  }
  const given = typeAt(value.fact, value.path, context)
  if (given === undefined) {
    const code = value.fact === 'parameters' ? 'unknown-parameter' : 'unknown-path'
    const message = `Nothing is known at /${value.fact}${value.path}.`
    return context.report([...path, 'value', 'path'], code, message, meantPath(value.fact, value.path, context))
  }
  if (value.fact === 'parameters') {
    const parameter = context.policy.parameters[value.path.slice(1)]?.value
    return checkConstant(parameter, expected, [...path, 'value'], context.report)
  }
  if (!fits(expected, given)) {
    context.report(
      [...path, 'value'],
      'value-type',
      `The value is a ${given.kind}; the fact and the operator want a ${expected.kind}.`,
    )
  }
}

function checkCount(leaf: Count, path: Place, context: Context): void {
  const list = pointerType(leaf.params.of)
  if (context.list !== undefined) return context.report(path, 'nested-count', 'A count cannot stand inside a count.')
  if (list?.kind !== 'list' || list.of?.kind !== 'object') {
    const message = `There is no list of objects at ${leaf.params.of}.`
    return context.report([...path, 'params', 'of'], 'unknown-list', message, nearest(leaf.params.of, objectLists()))
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
      if (known === undefined) {
        const message = `The placeholder ${part.of} ${part.path} leads to no known fact.`
        context.report(path, 'unknown-placeholder', message, meantPlaceholder(part, lists, context))
      } else if (part.of === 'document' && known.kind === 'object') {
        context.report(path, 'placeholder-not-single', `${part.path} is no single value.`)
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    context.report(path, 'malformed-placeholder', error.message)
  }
}

function checkRule(rule: Rule, path: Place, context: Context): void {
  if (!rule.id.startsWith(`${context.policy.family}.`)) {
    context.report([...path, 'id'], 'rule-id-family', `A rule's id begins with its family: ${context.policy.family}.`)
  }
  if (rule.appliesWhen !== undefined) checkCondition(rule.appliesWhen, [...path, 'appliesWhen'], context)
  checkCondition(rule.conditions, [...path, 'conditions'], context)
  if (rule.notApplicable !== undefined) checkTemplate(rule.notApplicable, [...path, 'notApplicable'], rule, context)
  for (const [index, one] of rule.cases.entries()) {
    const place = [...path, 'cases', index]
    const last = index === rule.cases.length - 1
    if (one.when !== undefined) checkCondition(one.when, [...place, 'when'], context)
    if (last !== (one.when === undefined)) {
      const message = last ? 'The last case has no when: it is what remains.' : 'Only the last case has no when.'
      context.report(place, 'case-order', message)
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
  const report: Report = (path, code, message, meant) =>
    problems.push({ path, code, message, ...(meant === undefined ? {} : { meant }) })
  const context: Context = { policy, report, list: undefined }
  const seen = new Set<string>()
  for (const [index, rule] of policy.rules.entries()) {
    if (seen.has(rule.id)) report(['rules', index, 'id'], 'duplicate-rule-id', `The id ${rule.id} stands twice.`)
    seen.add(rule.id)
    checkRule(rule, ['rules', index], context)
  }
  if (policy.alternatives !== undefined && !seen.has(policy.alternatives.whenFails)) {
    const { whenFails } = policy.alternatives
    report(['alternatives', 'whenFails'], 'unknown-rule', `There is no rule ${whenFails}.`, nearest(whenFails, seen))
  }
  return problems
}
