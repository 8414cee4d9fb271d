import { isObject, pointerTo, pointerTokens } from '../facts/pointer.ts'
import { schema } from '../schemas.ts'

/** What a pointer of a condition leads to. */
export type FactType =
  | {
      readonly kind: 'string'
      readonly values?: readonly string[]
      readonly version: boolean
      readonly text: TextBounds
    }
  | { readonly kind: 'integer'; readonly minimum: number; readonly maximum: number }
  | { readonly kind: 'boolean' }
  | {
      readonly kind: 'list'
      readonly of: FactType | undefined
      readonly element: SchemaNode
      readonly maxItems: number
    }
  | { readonly kind: 'object' }

/** What the schema says of a string. Lengths in characters. */
export interface TextBounds {
  readonly minLength: number
  readonly maxLength: number
  readonly pattern: RegExp | undefined
  readonly examples: readonly string[]
}

/** A part of a schema. */
export type SchemaNode = Readonly<Record<string, unknown>>

const versionPattern = '^(0|[1-9][0-9]{0,8})(\\.(0|[1-9][0-9]{0,8})){0,5}$'

function dereference(root: SchemaNode, node: unknown): SchemaNode | undefined {
  if (!isObject(node)) return undefined
  const reference = node['$ref']
  if (typeof reference !== 'string') return node
  let target: unknown = root
  for (const token of pointerTokens(reference.slice(1))) target = isObject(target) ? target[token] : undefined
  return dereference(root, target)
}

function descend(root: SchemaNode, start: SchemaNode, tokens: readonly string[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = start
  for (const token of tokens) {
    const properties: unknown = node?.['properties']
    node = isObject(properties) && Object.hasOwn(properties, token) ? dereference(root, properties[token]) : undefined
  }
  return node
}

const anyText: TextBounds = { minLength: 0, maxLength: Number.MAX_SAFE_INTEGER, pattern: undefined, examples: [] }

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

function textBounds(node: SchemaNode): TextBounds {
  const pattern = node['pattern']
  return {
    minLength: numberOr(node['minLength'], anyText.minLength),
    maxLength: numberOr(node['maxLength'], anyText.maxLength),
    pattern: typeof pattern === 'string' ? new RegExp(pattern, 'u') : undefined,
    examples: strings(node['examples']),
  }
}

function integerType(minimum: unknown, maximum: unknown): FactType {
  return {
    kind: 'integer',
    minimum: numberOr(minimum, Number.MIN_SAFE_INTEGER),
    maximum: numberOr(maximum, Number.MAX_SAFE_INTEGER),
  }
}

/** The first number of a version. */
export const majorType = integerType(0, 999_999_999)

function typeOf(root: SchemaNode, node: SchemaNode): FactType | undefined {
  if (node['type'] === 'integer') return integerType(node['minimum'], node['maximum'])
  if (node['type'] === 'boolean') return { kind: 'boolean' }
  if (node['type'] === 'object') return { kind: 'object' }
  if (node['type'] === 'string') {
    const values = node['enum']
    const version = node['pattern'] === versionPattern
    const type = { kind: 'string', version, text: textBounds(node) } as const
    return Array.isArray(values) ? { ...type, values: strings(values) } : type
  }
  const element = node['type'] === 'array' ? dereference(root, node['items']) : undefined
  if (element === undefined) return undefined
  return {
    kind: 'list',
    of: typeOf(root, element),
    element,
    maxItems: numberOr(node['maxItems'], Number.MAX_SAFE_INTEGER),
  }
}

const facts = schema('facts')
const verdict = schema('verdict')

/** The type of a pointer into the fact document, or below /request; undefined when the schemas know no such place. */
export function pointerType(pointer: string): FactType | undefined {
  const [first, ...rest] = pointerTokens(pointer)
  if (first === undefined) return undefined
  const node =
    first === 'request' ? descend(verdict, verdict, ['options', ...rest]) : descend(facts, facts, [first, ...rest])
  if (first === 'schema' || first === 'collection') return undefined
  return node === undefined ? undefined : typeOf(first === 'request' ? verdict : facts, node)
}

/** The type of a pointer inside the elements of a list of objects. */
export function elementType(list: FactType, path: string): FactType | undefined {
  if (list.kind !== 'list' || list.of?.kind !== 'object') return undefined
  const node = descend(facts, list.element, pointerTokens(path))
  return node === undefined ? undefined : typeOf(facts, node)
}

/** The facts schema at a pointer, from its top or from a part of it; undefined when it knows no such place. */
export function factNode(pointer: string, start: SchemaNode = facts): SchemaNode | undefined {
  return descend(facts, start, pointerTokens(pointer))
}

/** The type of a list of such values. */
export function listOf(of: FactType | undefined): FactType {
  return { kind: 'list', of, element: {}, maxItems: Number.MAX_SAFE_INTEGER }
}

/** The type of a parameter's value. */
export function valueType(value: unknown): FactType | undefined {
  if (typeof value === 'string') {
    return { kind: 'string', version: new RegExp(versionPattern).test(value), text: anyText }
  }
  if (typeof value === 'number') return integerType(undefined, undefined)
  if (typeof value === 'boolean') return { kind: 'boolean' }
  return Array.isArray(value) ? listOf(valueType(value[0])) : undefined
}

function pathsBelow(root: SchemaNode, node: SchemaNode, path: string): string[] {
  const properties: unknown = node['properties']
  const own = path === '' ? [] : [path]
  if (!isObject(properties)) return own
  return Object.entries(properties).reduce<string[]>((paths, [name, child]) => {
    const inner = dereference(root, child)
    return inner === undefined ? paths : paths.concat(pathsBelow(root, inner, pointerTo(path, name)))
  }, own)
}

/** Every pointer that pointerType knows, /request among them. */
export function knownPointers(): readonly string[] {
  const options = descend(verdict, verdict, ['options'])
  const sections = pathsBelow(facts, facts, '').filter((path) => pointerType(path) !== undefined)
  return options === undefined ? sections : [...sections, ...pathsBelow(verdict, options, '/request')]
}

/** Every pointer inside the elements of a list of objects. */
export function elementPointers(list: FactType): readonly string[] {
  return list.kind === 'list' && list.of?.kind === 'object' ? pathsBelow(facts, list.element, '') : []
}
