import { type Document, isAlias, isMap, isNode, isPair, isScalar, LineCounter, parseDocument, visit } from 'yaml'

/** The tokens of a place in a document, from its top. */
export type Place = readonly (string | number)[]

/** Line and column, both counted from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A YAML text: its value, and where each part of it stands. */
export interface YamlText {
  readonly value: unknown
  /** Why the text is no YAML 1.2 with unique names; empty for one that is. */
  readonly broken: readonly (Position & { readonly message: string })[]
  /** Position of a part, or of the nearest one above it. A member is placed at its name. */
  at(place: Place): Position
}

/** Offset of the node at a place, or of the nearest one above it. What an alias stands for is placed where it is written. */
function offsetOf(document: Document.Parsed, place: Place): number {
  let node: unknown = document.contents
  let offset = 0
  for (const token of place) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(token))
      if (!isPair(pair)) break
      if (isNode(pair.key) && pair.key.range) offset = pair.key.range[0]
      node = pair.value
    } else {
      const child: unknown =
        isNode(node) && 'items' in node && Array.isArray(node.items) ? node.items[Number(token)] : undefined
      if (!isNode(child)) break
      if (child.range) offset = child.range[0]
      node = child
    }
  }
  return offset
}

/** Why the parsed text has no value: an alias that nothing is named by, or so many that it would grow without bound. */
function aliasProblems(document: Document.Parsed, error: ReferenceError): { offset: number; message: string }[] {
  const problems: { offset: number; message: string }[] = []
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) !== undefined) return
      problems.push({ offset: alias.range?.[0] ?? 0, message: `No anchor before it is named ${alias.source}` })
    },
  })
  return problems.length > 0 ? problems : [{ offset: 0, message: error.message }]
}

/** Reads YAML 1.2 with unique names. */
export function readYaml(text: string): YamlText {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false, strict: true })
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const broken = [...document.errors, ...document.warnings].map((error) => {
    return { ...position(error.pos[0]), message: error.message }
  })
  const at = (place: Place) => position(offsetOf(document, place))
  if (broken.length > 0) return { value: undefined, broken, at }
  try {
    return { value: document.toJS({ maxAliasCount: 1000 }), broken, at }
  } catch (error) {
    // The parser checks no alias; this is how it tells of one that it cannot follow.
    if (!(error instanceof ReferenceError)) throw error
    const unresolved = aliasProblems(document, error)
    return { value: undefined, broken: unresolved.map(({ offset, message }) => ({ ...position(offset), message })), at }
  }
}
