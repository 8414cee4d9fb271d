import type { Condition, Policy } from '../../server/documents/policy.ts'
import type { Options } from '../../server/documents/verdict.ts'
import { isObject } from '../../server/facts/pointer.ts'
import { conditionTrees } from '../../server/policy/reference.ts'
import { parametersOf } from '../../server/policy/scope.ts'
import { schema } from '../../server/schemas.ts'

type Node = Readonly<Record<string, unknown>>
type Random = () => number

/** Values that conditions compare with, by place: a list's elements are written as *, Neighbours of numbers stand beside them. */
export type Constants = Map<string, unknown[]>

function neighbours(value: unknown): unknown[] {
  if (typeof value === 'number') return [value - 1, value, value + 1].filter((one) => one >= 0)
  if (typeof value !== 'string' || !/^\d+(\.\d+)*$/.test(value)) return [value]
  const parts = value.split('.').map(Number)
  const last = parts.length - 1
  const shifted = [-1, 1].map((by) =>
    parts.map((part, index) => (index === last ? Math.max(0, part + by) : part)).join('.'),
  )
  return [value, ...shifted]
}

function gather(condition: Condition, policy: Policy, list: string, found: Constants): void {
  if ('all' in condition) for (const child of condition.all) gather(child, policy, list, found)
  else if ('any' in condition) for (const child of condition.any) gather(child, policy, list, found)
  else if ('not' in condition) gather(condition.not, policy, list, found)
  else if (condition.fact === 'count') gather(condition.params.where, policy, `${condition.params.of}/*`, found)
  else {
    const place = condition.fact === 'element' ? `${list}${condition.path}` : `/${condition.fact}${condition.path}`
    const { value } = condition
    const constant =
      typeof value !== 'object' || Array.isArray(value) ? value : parametersOf(policy)[value.path.slice(1)]
    const values = (Array.isArray(constant) ? constant : [constant]).filter((one) => one !== undefined)
    const major = condition.operator.startsWith('major:')
    const known = values.flatMap(neighbours).map((one) => (major ? `${one}.1` : one))
    found.set(place, [...(found.get(place) ?? []), ...known])
  }
}

/** All constants of all policies. */
export function constantsOf(policies: readonly Policy[]): Constants {
  const found: Constants = new Map()
  for (const policy of policies) {
    for (const rule of policy.rules) for (const [, tree] of conditionTrees(rule)) gather(tree, policy, '', found)
  }
  return found
}

const root = schema('facts')

function dereference(node: unknown): Node {
  if (!isObject(node)) throw new TypeError('not a schema')
  const reference = node['$ref']
  if (typeof reference !== 'string') return node
  const defs = root['$defs']
  return dereference(isObject(defs) ? defs[reference.replace('#/$defs/', '')] : undefined)
}

function pick<T>(values: readonly T[], random: Random): T {
  const value = values[Math.floor(random() * values.length)]
  if (value === undefined) throw new RangeError('nothing to pick from')
  return value
}

function scalar(node: Node, place: string, constants: Constants, random: Random): unknown {
  const { enum: values, type, examples } = node
  if (Array.isArray(values)) return pick(values, random)
  if (type === 'boolean') return random() < 0.5
  const known = constants.get(place) ?? []
  if (known.length > 0 && random() < 0.8) return pick(known, random)
  if (type === 'integer') return Math.floor(random() * 2 ** (1 + Math.floor(random() * 45)))
  return Array.isArray(examples) ? pick(examples, random) : ''
}

/** A value in which every member is present. What `fixed` already has is kept; lists that it has keep their length. */
function complete(node: Node, place: string, fixed: unknown, constants: Constants, random: Random): unknown {
  const { type, properties, items } = node
  if (type === 'array') {
    const inner = dereference(items)
    const elements: unknown[] = Array.isArray(fixed) ? fixed : Array.from({ length: Math.floor(random() * 4) })
    const filled = elements.map((element) => complete(inner, `${place}/*`, element, constants, random))
    const known = constants.get(place)
    return Array.isArray(fixed) || known === undefined
      ? filled
      : [...new Set([...filled, ...(random() < 0.5 ? [pick(known, random)] : [])])]
  }
  if (!isObject(properties)) return fixed ?? scalar(node, place, constants, random)
  const kept = isObject(fixed) ? fixed : {}
  return Object.fromEntries(
    Object.entries(properties).map(([name, child]) => {
      return [name, complete(dereference(child), `${place}/${name}`, kept[name], constants, random)]
    }),
  )
}

/** The sections of a fact document with nothing missing; `fixed` is a partial one to complete. */
export function completeSections(fixed: Node, constants: Constants, random: Random): Record<string, unknown> {
  const properties = root['properties']
  if (!isObject(properties)) throw new TypeError('no properties')
  const sections = Object.entries(properties).filter(([name]) => name !== 'schema' && name !== 'collection')
  return Object.fromEntries(
    sections.map(([name, node]) => [name, complete(dereference(node), `/${name}`, fixed[name], constants, random)]),
  )
}

/** Random resolved options. */
export function randomOptions(constants: Constants, random: Random): Options {
  const importAs = pick(['none', 'others-linux', 'customized-linux'] as const, random)
  const sizes = constants.get('/request/systemDisk/sizeBytes') ?? [42949672960]
  const size = pick(sizes, random)
  if (random() < 0.4 || typeof size !== 'number') return { importAs, systemDisk: { requested: false } }
  return { importAs, systemDisk: { requested: true, sizeBytes: size } }
}

/** The same value with each member and list left out with the given probability; elements of lists stay. */
export function thinned(value: unknown, probability: number, random: Random): unknown {
  if (Array.isArray(value)) return value.map((element) => thinned(element, probability, random))
  if (!isObject(value)) return value
  const kept = Object.entries(value).filter(() => random() >= probability)
  return Object.fromEntries(kept.map(([name, inner]) => [name, thinned(inner, probability, random)]))
}
