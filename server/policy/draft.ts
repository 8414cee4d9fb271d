import { isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml'

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

/**
 * A YAML text in which the element of a top list with a version stands once more at its end, with another version; the
 * same text when there is no such element, or one of the other version already.
 */
export function withElementAgain(text: string, list: string, from: string, to: string): string {
  const document = parseDocument(text)
  const elements = document.get(list)
  if (!isSeq(elements)) return text
  const ofVersion = (version: string) => elements.items.find((one) => isMap(one) && one.get('version') === version)
  const source = ofVersion(from)
  if (!isMap(source) || ofVersion(to) !== undefined) return text
  const again = source.clone()
  if (!isMap(again)) return text
  again.set('version', to)
  elements.add(again)
  return document.toString({ lineWidth: 0 })
}
