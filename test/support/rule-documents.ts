import type { Condition, Policy, Rule } from '../../server/documents/policy.ts'
import type { Options } from '../../server/documents/verdict.ts'
import { isObject, pointerTokens } from '../../server/facts/pointer.ts'
import { parametersOf } from '../../server/policy/scope.ts'
import { matches, schema } from '../../server/schemas.ts'

type Random = () => number
type Node = Readonly<Record<string, unknown>>
type Family = Policy['family']

const root = schema('facts')

function resolved(node: unknown): Node {
  if (!isObject(node)) throw new TypeError('not a schema')
  const reference = node['$ref']
  const defs = root['$defs']
  return typeof reference === 'string' && isObject(defs) ? resolved(defs[reference.slice('#/$defs/'.length)]) : node
}

function pick<T>(values: readonly T[], random: Random): T | undefined {
  return values[Math.floor(random() * values.length)]
}

/** Constants by the place that is compared with them, a list's elements written as *. */
type Constants = Map<string, unknown[]>

function gather(
  condition: Condition,
  parameters: Readonly<Record<string, unknown>>,
  list: string,
  found: Constants,
): void {
  if ('all' in condition) for (const child of condition.all) gather(child, parameters, list, found)
  else if ('any' in condition) for (const child of condition.any) gather(child, parameters, list, found)
  else if ('not' in condition) gather(condition.not, parameters, list, found)
  else if (condition.fact === 'count') {
    found.set(condition.params.of, found.get(condition.params.of) ?? [])
    gather(condition.params.where, parameters, `${condition.params.of}/*`, found)
  } else {
    const place = condition.fact === 'element' ? `${list}${condition.path}` : `/${condition.fact}${condition.path}`
    const { value } = condition
    const known = found.get(place) ?? []
    if (typeof value !== 'object' || Array.isArray(value)) found.set(place, [...known, ...[value].flat()])
    else if (value.fact === 'parameters') found.set(place, [...known, ...[parameters[value.path.slice(1)]].flat()])
    else {
      const other = `/${value.fact}${value.path}`
      found.set(place, known)
      found.set(other, found.get(other) ?? [])
    }
  }
}

/** The places that rules read, with the constants that they compare them with. */
export function constantsOfRules(rules: readonly (readonly [Rule, Policy])[]): Constants {
  const found: Constants = new Map()
  for (const [rule, policy] of rules) {
    for (const condition of [rule.conditions, ...(rule.appliesWhen === undefined ? [] : [rule.appliesWhen])]) {
      gather(condition, parametersOf(policy), '', found)
    }
  }
  const all = [...found.values()].flat().filter((value) => typeof value === 'number' && value > 1000)
  for (const values of found.values()) if (values.length === 0) values.push(...all)
  return found
}

function near(constant: unknown, random: Random): unknown {
  if (typeof constant === 'number') return Math.max(0, constant + (pick([-2, -1, 0, 0, 0, 1, 2], random) ?? 0))
  if (typeof constant !== 'string' || !/^\d+(\.\d+)*$/.test(constant) || random() < 0.4) return constant
  const parts = constant.split('.').map(Number)
  const place = Math.floor(random() * parts.length)
  const moved = parts.map((part, index) =>
    index === place ? Math.max(0, part + (pick([-1, 0, 1], random) ?? 0)) : part,
  )
  return (random() < 0.3 ? [...moved, Math.floor(random() * 2)] : moved).join('.')
}

function scalar(node: Node, constants: readonly unknown[], random: Random): unknown {
  const { enum: values, type, examples } = node
  if (type === 'boolean') return random() < 0.5
  const constant = pick(constants, random)
  if (Array.isArray(values)) return constant !== undefined && random() < 0.6 ? constant : pick(values, random)
  const other =
    type === 'integer'
      ? Math.floor(random() * 2 ** (1 + Math.floor(random() * 45)))
      : pick(Array.isArray(examples) ? examples : [''], random)
  if (constant === undefined || random() < 0.2) return other
  const value = near(constant, random)
  return type === 'string' ? String(value) : value
}

function build(node: Node, place: string, constants: Constants, random: Random): unknown {
  const { type, properties, items, required } = node
  if (type === 'array') {
    const inner = resolved(items)
    const length = Math.floor(random() * (inner['type'] === 'object' ? 4 : 3))
    const known = constants.get(place) ?? []
    return Array.from({ length }, () =>
      inner['type'] === 'object' ? build(inner, `${place}/*`, constants, random) : scalar(inner, known, random),
    )
  }
  if (!isObject(properties)) return scalar(node, constants.get(place) ?? [], random)
  const needed = Array.isArray(required) ? required : []
  const object: Record<string, unknown> = {}
  for (const [name, child] of Object.entries(properties)) {
    const here = `${place}/${name}`
    const read = [...constants.keys()].some((one) => one === here || one.startsWith(`${here}/`))
    if (needed.includes(name) || (read && random() < 0.85))
      object[name] = build(resolved(child), here, constants, random)
  }
  return object
}

function osType(family: Family, random: Random): string | undefined {
  if (family === 'windows-server') return 'windows'
  if (family === 'unidentified') return undefined
  return pick(family === 'linux' ? ['linux', 'linux', 'freebsd'] : ['linux', 'freebsd', undefined], random)
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (!isObject(value)) return value
  const kept = Object.entries(value).map(([name, inner]) => [name, withoutEmpty(inner)] as const)
  return Object.fromEntries(kept.filter(([, inner]) => !isObject(inner) || Object.keys(inner).length > 0))
}

function optionsOf(family: Family, constants: Constants, random: Random): Options {
  const importAs = family === 'nonstandard-linux' ? (random() < 0.5 ? 'others-linux' : 'customized-linux') : 'none'
  const size = near(pick(constants.get('/request/systemDisk/sizeBytes') ?? [], random) ?? 42949672960, random)
  if (random() < 0.4 || typeof size !== 'number' || size < 1) return { importAs, systemDisk: { requested: false } }
  return { importAs, systemDisk: { requested: true, sizeBytes: size } }
}

const source = {
  pointers: [''],
  collector: 'test',
  version: '1',
  method: 'test',
  basis: 'observed',
  at: '2026-01-01T00:00:00Z',
}

/** A random valid document that the family judges, with options, stating what the rules read; undefined when the dice made no valid one. */
export function randomDocument(family: Family, constants: Constants, random: Random) {
  const properties = root['properties']
  if (!isObject(properties)) throw new TypeError('no properties')
  const sections: Record<string, unknown> = {}
  for (const [name, node] of Object.entries(properties)) {
    const read = [...constants.keys()].some((place) => pointerTokens(place)[0] === name)
    if (name !== 'schema' && name !== 'collection' && read && random() < 0.97) {
      sections[name] = build(resolved(node), `/${name}`, constants, random)
    }
  }
  const type = osType(family, random)
  const given = isObject(sections['os']) ? { ...sections['os'] } : {}
  delete given['type']
  sections['os'] = type === undefined ? given : { ...given, type }
  const document = withoutEmpty({ schema: 'imagegate.facts/1', ...sections, collection: { sources: [source] } })
  return matches('facts', document) ? { document, options: optionsOf(family, constants, random) } : undefined
}
