import { isMap, isNode, isScalar, parseDocument } from 'yaml'

/** The text of a scalar in the style of the one whose place it takes; plain ones become quoted, so that a version stays a string. */
function scalarText(value: string, source: string): string {
  return source.startsWith("'") ? `'${value}'` : `"${value}"`
}

/**
 * A YAML text with other values for some of its top members, which must be there and be scalars, and every other character kept.
 * The values must need no escapes. Throws a RangeError for a member that is not there.
 */
export function withScalars(text: string, values: Readonly<Record<string, string>>): string {
  const { contents } = parseDocument(text)
  const places = Object.entries(values).map(([name, value]) => {
    const node = isMap(contents)
      ? contents.items.find(({ key }) => isScalar(key) && key.value === name)?.value
      : undefined
    if (!isNode(node) || !isScalar(node) || !node.range) throw new RangeError(`There is no scalar ${name}.`)
    const [start, end] = node.range
    return { start, end, by: scalarText(value, text.slice(start, end)) }
  })
  const last = places.toSorted((a, b) => b.start - a.start)
  return last.reduce((done, { start, end, by }) => done.slice(0, start) + by + done.slice(end), text)
}
