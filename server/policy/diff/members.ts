import { isAbove, isObject, pointerTo, pointerTokens, resolveTokens } from '../../facts/pointer.ts'
import { factNode, type SchemaNode } from '../fact-types.ts'

/** An object that cannot stand without one of its members. */
export interface Requirement {
  /** Pointer of the object. */
  readonly object: string
  /** Pointer of the member. */
  readonly member: string
}

function requiredNames(node: SchemaNode | undefined): string[] {
  const names = node?.['required']
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
}

/** What the objects above a pointer demand; `start` is the schema that the pointer begins in, the fact document's by default. */
export function requirementsAbove(pointer: string, start?: SchemaNode): Requirement[] {
  const tokens = pointerTokens(pointer).slice(0, -1)
  const objects = ['', ...tokens.map((_, index) => `/${tokens.slice(0, index + 1).join('/')}`)]
  return objects.flatMap((object) =>
    requiredNames(factNode(object, start)).map((name) => ({ object, member: pointerTo(object, name) })),
  )
}

/** Whether members can stand and be absent like this. Pointers that are not in the map may be either. */
export function holdsTogether(
  present: ReadonlyMap<string, boolean>,
  requirements: readonly Requirement[],
  isElement: boolean,
): boolean {
  return requirements.every(({ object, member }) => {
    if (present.get(member) !== false) return true
    if (object === '' && isElement) return false
    return ![...present].some(([pointer, there]) => there && isAbove(object, pointer))
  })
}

function exampleOf(node: SchemaNode | undefined): unknown {
  if (node?.['type'] === 'array') return []
  if (node?.['type'] === 'object') return fill({}, node)
  const examples = node?.['examples']
  const values = node?.['enum']
  return Array.isArray(examples) ? examples[0] : Array.isArray(values) ? values[0] : node?.['type'] === 'boolean'
}

/** Gives an object the members that it must have and lacks, as the schema's examples have them. */
function fill<T extends object>(object: T, node: SchemaNode | undefined): T {
  for (const name of requiredNames(node)) {
    if (!Object.hasOwn(object, name)) Reflect.set(object, name, exampleOf(factNode(pointerTo('', name), node)))
  }
  return object
}

/** A new element with the members given by pointer, and those that it must have. It is never empty, which no element may be. */
export function newElement(
  members: readonly (readonly [string, unknown])[],
  element: SchemaNode,
): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const [pointer, value] of members) setMember(object, pointer, value, element)
  fill(object, element)
  if (Object.keys(object).length > 0) return object
  const properties = element['properties']
  const taken = members.map(([pointer]) => pointerTokens(pointer)[0])
  const free = Object.keys(isObject(properties) ? properties : {}).find((name) => !taken.includes(name))
  if (free !== undefined) object[free] = exampleOf(factNode(pointerTo('', free), element))
  return object
}

function removeMember(root: object, tokens: readonly string[], start?: SchemaNode): void {
  const parent = resolveTokens(root, tokens.slice(0, -1))
  const name = tokens.at(-1)
  if (!isObject(parent) || name === undefined) return
  delete parent[name]
  const above = tokens.slice(0, -1)
  const node = factNode(above.map((token) => `/${token}`).join(''), start)
  // No object may be empty, or lack what it must have.
  const broken =
    Object.keys(parent).length === 0 || requiredNames(node).some((required) => parent[required] === undefined)
  if (broken && above.length > 0) removeMember(root, above, start)
}

/** Sets a member at a pointer, or takes it away when the value is undefined, and whatever the schema then demands. */
export function setMember(root: object, pointer: string, value: unknown, start?: SchemaNode): void {
  const tokens = pointerTokens(pointer)
  const name = tokens.at(-1)
  if (value === undefined || name === undefined) return removeMember(root, tokens, start)
  const objects = [root]
  for (const token of tokens.slice(0, -1)) {
    const above = objects.at(-1) ?? root
    const inner: unknown = Reflect.get(above, token)
    const next = isObject(inner) ? inner : {}
    Reflect.set(above, token, next)
    objects.push(next)
  }
  Reflect.set(objects.at(-1) ?? root, name, value)
  for (const [index, object] of objects.entries()) {
    fill(
      object,
      factNode(
        tokens
          .slice(0, index)
          .map((token) => `/${token}`)
          .join(''),
        start,
      ),
    )
  }
}
