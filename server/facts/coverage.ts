import type { FactDocument } from '../documents/facts.ts'
import type { Problem } from '../errors.ts'
import { isAbove, pointerTo } from './pointer.ts'

function uncovered(value: unknown, pointer: string, sources: readonly string[], problems: Problem[]): void {
  if (sources.some((source) => isAbove(source, pointer))) return
  const inner = sources.filter((source) => isAbove(pointer, source))
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : []
  if (inner.length === 0 || members.length === 0) {
    problems.push({ pointer, message: 'No source in /collection/sources covers this fact.' })
    return
  }
  for (const [token, child] of members) uncovered(child, pointerTo(pointer, token), inner, problems)
}

/** One problem for each fact, or group of facts, that no source of the collection section covers. */
export function coverageProblems(document: FactDocument): Problem[] {
  const pointers = document.collection.sources.flatMap((source) => source.pointers)
  const problems: Problem[] = []
  if (pointers.includes('')) return problems
  const { schema: _schema, collection: _collection, ...sections } = document
  for (const [name, value] of Object.entries(sections)) uncovered(value, `/${name}`, pointers, problems)
  return problems
}
