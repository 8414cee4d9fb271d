import type { Comparison, Condition, Count, Operator, Policy, Rule } from '../../server/documents/policy.ts'
import { profileProblems } from '../../server/policy/profile.ts'

type Random = () => number
type Leaf = Comparison | Count

function pick<T>(values: readonly T[], random: Random): T {
  const value = values[Math.floor(random() * values.length)]
  if (value === undefined) throw new RangeError('nothing to pick from')
  return value
}

const orders = ['lessThan', 'lessThanInclusive', 'greaterThan', 'greaterThanInclusive'] as const
const families: readonly (readonly Operator[])[] = [
  ['equal', 'notEqual', ...orders],
  ['in', 'notIn'],
  ['contains', 'doesNotContain'],
  ['version:equal', ...orders.map((order) => `version:${order}` as const)],
  ['major:equal', ...orders.map((order) => `major:${order}` as const)],
  ['major:in', 'major:notIn'],
]

/** A condition and a way to put another in its place, or to take it out where its parent can spare it. */
interface Spot {
  readonly condition: Condition
  replace(by: Condition): void
  readonly drop: (() => void) | undefined
}

function spots(condition: Condition, replace: (by: Condition) => void, drop: (() => void) | undefined): Spot[] {
  const own: Spot = { condition, replace, drop }
  const many = 'all' in condition ? condition.all : 'any' in condition ? condition.any : undefined
  if (many !== undefined) {
    const inner = many.flatMap((child, index) =>
      spots(
        child,
        (by) => {
          many[index] = by
        },
        many.length > 1 ? () => many.splice(index, 1) : undefined,
      ),
    )
    return [own, ...inner]
  }
  if ('not' in condition) {
    return [own, ...spots(condition.not, (by) => Object.assign(condition, { not: by }), undefined)]
  }
  if (!('params' in condition)) return [own]
  const { params } = condition
  return [own, ...spots(params.where, (by) => Object.assign(params, { where: by }), undefined)]
}

function ruleSpots(rule: Rule): Spot[] {
  const applies = rule.appliesWhen
  return [
    ...spots(rule.conditions, (by) => Object.assign(rule, { conditions: by }), undefined),
    ...(applies === undefined
      ? []
      : spots(
          applies,
          (by) => Object.assign(rule, { appliesWhen: by }),
          () => Reflect.deleteProperty(rule, 'appliesWhen'),
        )),
  ]
}

function shifted(value: unknown, random: Random): unknown {
  if (typeof value === 'boolean') return !value
  if (typeof value === 'number') return Math.max(0, value + pick([-1, 1, 7], random))
  if (typeof value !== 'string') return value
  if (!/^\d+(\.\d+)*$/.test(value))
    return pick([`${value}x`, 'ext4', 'root', 'off', 'module', 'dhcp', 'debian', 'vhd'], random)
  const parts = value.split('.').map(Number)
  const place = Math.floor(random() * parts.length)
  return parts.map((part, index) => (index === place ? Math.max(0, part + pick([-1, 1], random)) : part)).join('.')
}

function otherValue(value: unknown, random: Random): unknown {
  if (!Array.isArray(value)) return shifted(value, random)
  const at = Math.floor(random() * value.length)
  if (value.length > 1 && random() < 0.4) return value.filter((_, index) => index !== at)
  if (random() < 0.5) return [...new Set([...value, shifted(value[at], random)])]
  return value.map((one: unknown, index) => (index === at ? shifted(one, random) : one))
}

function changeValue(leaf: Leaf, policy: Policy, random: Random): void {
  const { value } = leaf
  if (typeof value !== 'object' || Array.isArray(value)) {
    Object.assign(leaf, { value: otherValue(value, random) })
  } else if (value.fact === 'parameters') {
    const parameter = policy.parameters[value.path.slice(1)]
    if (parameter !== undefined) Object.assign(parameter, { value: otherValue(parameter.value, random) })
  }
}

function isLeaf(condition: Condition): condition is Leaf {
  return 'fact' in condition
}

function changeLeaf(spot: Spot, policy: Policy, random: Random): void {
  const leaf = structuredClone(spot.condition)
  if (!isLeaf(leaf)) return
  const family = families.find((one) => one.includes(leaf.operator)) ?? []
  if (random() < 0.5) Object.assign(leaf, { operator: pick(family, random) })
  else changeValue(leaf, policy, random)
  spot.replace(leaf)
}

function changeTree(rule: Rule, random: Random): void {
  const spot = pick(ruleSpots(rule), random)
  const { condition } = spot
  if (random() < 0.4 && spot.drop !== undefined) spot.drop()
  else if ('all' in condition && random() < 0.7) spot.replace({ any: condition.all })
  else if ('any' in condition && random() < 0.7) spot.replace({ all: condition.any })
  else if (random() < 0.5) spot.replace({ not: condition })
  else {
    const other = pick(ruleSpots(rule), random).condition
    if (isLeaf(condition) && isLeaf(other) && (condition.fact === 'element') === (other.fact === 'element')) {
      const children: Condition[] = [condition, structuredClone(other)]
      spot.replace(random() < 0.5 ? { all: children } : { any: children })
    }
  }
}

function changeRule(rule: Rule, policy: Policy, random: Random): void {
  const kind = random()
  if (kind < 0.55) {
    changeLeaf(
      pick(
        ruleSpots(rule).filter(({ condition }) => isLeaf(condition)),
        random,
      ),
      policy,
      random,
    )
  } else if (kind < 0.85) changeTree(rule, random)
  else {
    const result = pick(['fail', 'unknown'] as const, random)
    rule.effect[result] = pick(['block', 'warn', 'inform'] as const, random)
  }
}

/** A policy with one of its rules, or a parameter of it, changed at random. It meets the profile and differs. */
export function changedPolicy(policy: Policy, random: Random): Policy {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    const changed = structuredClone(policy)
    const rule = pick(changed.rules, random)
    for (let step = random() < 0.25 ? 2 : 1; step > 0; step -= 1) changeRule(rule, changed, random)
    const differs = JSON.stringify(changed) !== JSON.stringify(policy)
    if (differs && profileProblems(changed).length === 0) return changed
  }
  throw new Error('no change was found')
}

function leavesOf({ rules }: Policy): Spot[] {
  return rules.flatMap(ruleSpots).filter(({ condition }) => isLeaf(condition))
}

function otherOperator(leaf: Leaf, random: Random): void {
  const family = families.find((one) => one.includes(leaf.operator)) ?? []
  Object.assign(leaf, {
    operator: pick(
      family.filter((name) => name !== leaf.operator),
      random,
    ),
  })
}

/** For every leaf of a policy the policy with another operator there, and with another constant; those that meet the profile. */
export function* leafChanges(policy: Policy, random: Random): Generator<Policy> {
  for (const place of leavesOf(policy).keys()) {
    for (const change of [otherOperator, (leaf: Leaf, by: Random, changed: Policy) => changeValue(leaf, changed, by)]) {
      const changed = structuredClone(policy)
      const leaf = leavesOf(changed)[place]?.condition
      if (leaf === undefined || !isLeaf(leaf)) continue
      change(leaf, random, changed)
      if (profileProblems(changed).length === 0) yield changed
    }
  }
}
