import { isObject, pointerTokens } from '../facts/pointer.ts'
import { schema } from '../schemas.ts'

/** What a pointer of a condition leads to. */
export type FactType =
  | { readonly kind: 'string'; readonly values?: readonly string[]; readonly version: boolean }
  | { readonly kind: 'integer' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'list'; readonly of: FactType | undefined; readonly element: SchemaNode }
  | { readonly kind: 'object' }

type SchemaNode = Readonly<Record<string, unknown>>

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

function typeOf(root: SchemaNode, node: SchemaNode): FactType | undefined {
  if (node['type'] === 'integer' || node['type'] === 'boolean') return { kind: node['type'] }
  if (node['type'] === 'object') return { kind: 'object' }
  if (node['type'] === 'string') {
    const values = node['enum']
    const version = node['pattern'] === versionPattern
    if (!Array.isArray(values)) return { kind: 'string', version }
    return { kind: 'string', version, values: values.filter((value) => typeof value === 'string') }
  }
  const element = node['type'] === 'array' ? dereference(root, node['items']) : undefined
  return element === undefined ? undefined : { kind: 'list', of: typeOf(root, element), element }
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

/** The type of a parameter's value. */
export function valueType(value: unknown): FactType | undefined {
  if (typeof value === 'string') return { kind: 'string', version: new RegExp(versionPattern).test(value) }
  if (typeof value === 'number') return { kind: 'integer' }
  if (typeof value === 'boolean') return { kind: 'boolean' }
  return Array.isArray(value) ? { kind: 'list', of: valueType(value[0]), element: {} } : undefined
}
