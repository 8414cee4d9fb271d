import { parseDocument } from 'yaml'
import { GuestError } from '../guest.ts'

const maxBytes = 262_144
const maxDepth = 64

/** Flow collections and indentation nest; a text that nests deeper than any configuration is not given to the parser. */
function nestsTooDeep(text: string): boolean {
  let depth = 0
  for (const character of text) {
    if (character === '[' || character === '{') depth += 1
    if (character === ']' || character === '}') depth -= 1
    if (depth > maxDepth) return true
  }
  return /^ {512}|^(?:- ){64}/m.test(text)
}

/** A guest's YAML file as Maps and lists, so that no name in it touches a prototype. Aliases are counted, and sizes limited. */
export function parseYaml(text: string): unknown {
  if (text.length > maxBytes || nestsTooDeep(text))
    throw new GuestError('too-large', 'A YAML file of the guest is too large.')
  const document = parseDocument(text, { strict: true, uniqueKeys: false, prettyErrors: false, logLevel: 'silent' })
  if (document.errors.length > 0) throw new GuestError('damaged', 'A YAML file of the guest is not valid.')
  return document.toJS({ mapAsMap: true, maxAliasCount: 50 })
}

/** A member of a map; undefined for anything else. */
export function yamlMember(value: unknown, ...path: readonly string[]): unknown {
  let node = value
  for (const name of path) node = node instanceof Map ? node.get(name) : undefined
  return node
}

/** The entries of a map whose names are strings. */
export function yamlEntries(value: unknown): [string, unknown][] {
  if (!(value instanceof Map)) return []
  return [...value].flatMap(([name, one]): [string, unknown][] => (typeof name === 'string' ? [[name, one]] : []))
}

/** The elements of a list; none for anything else. */
export function yamlList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/** A scalar as text; undefined for a collection. */
export function yamlText(value: unknown): string | undefined {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : undefined
}

/** Later maps over earlier ones, member by member, as netplan and cloud-init merge their files. */
export function mergeYaml(below: unknown, above: unknown, depth = 0): unknown {
  if (!(below instanceof Map) || !(above instanceof Map) || depth > maxDepth) return above ?? below
  const merged = new Map<unknown, unknown>(below)
  for (const [name, value] of above) merged.set(name, mergeYaml(below.get(name), value, depth + 1))
  return merged
}
