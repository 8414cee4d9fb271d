import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml'
import type { Policy } from '../documents/policy.ts'
import type { Problem } from '../errors.ts'
import { pointerTokens } from '../facts/pointer.ts'
import { matches, problemsOf } from '../schemas.ts'
import { profileProblems } from './profile.ts'
import { referenceProblem } from './reference.ts'

/** A policy, or every problem that keeps its text from being one. */
export type ParsedPolicy =
  | { readonly policy: Policy; readonly problems: readonly [] }
  | { readonly policy?: undefined; readonly problems: readonly Problem[] }

type Token = string | number

/** Offset of the node at a place, or of the nearest one above it. A member is placed at its name. */
function offsetOf(document: Document.Parsed, path: readonly Token[]): number {
  let node: unknown = document.contents
  let offset = 0
  for (const token of path) {
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

/**
 * Reads a policy file's text: YAML 1.2, unique names, schema, profile, json-rules-engine.
 * All problems are collected, with line and column counted from 1.
 */
export function parsePolicy(text: string, file: string): ParsedPolicy {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false, strict: true })
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { file, line, column: col }
  }
  const broken = [...document.errors, ...document.warnings]
  if (broken.length > 0) return { problems: broken.map((error) => ({ ...at(error.pos[0]), message: error.message })) }
  const value: unknown = document.toJS({ maxAliasCount: 1000 })
  if (!matches('policy', value)) {
    const problems = problemsOf('policy', value)
    const placed = problems.map((problem) => ({
      ...problem,
      ...at(offsetOf(document, pointerTokens(problem.pointer ?? ''))),
    }))
    return { problems: placed }
  }
  const problems = profileProblems(value).map(({ path, message }): Problem => {
    return { pointer: path.map((token) => `/${token}`).join(''), ...at(offsetOf(document, path)), message }
  })
  for (const [index, rule] of value.rules.entries()) {
    const message = referenceProblem(rule)
    if (message === undefined) continue
    problems.push({ pointer: `/rules/${index}`, ...at(offsetOf(document, ['rules', index])), message })
  }
  return problems.length > 0 ? { problems } : { policy: value, problems: [] }
}
