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

/** The common case without a list of problems: whether each fact has a source at or above it. */
function covered(value: unknown, pointer: string, sources: ReadonlySet<string>): boolean {
  if (sources.has(pointer)) return true
  if (typeof value !== 'object' || value === null) return false
  const members = Object.entries(value)
  return members.length > 0 && members.every(([token, child]) => covered(child, pointerTo(pointer, token), sources))
}

/** One problem for each fact, or group of facts, that no source of the collection section covers. */
export function coverageProblems(document: FactDocument): Problem[] {
  const pointers = document.collection.sources.flatMap((source) => source.pointers)
  const sources = new Set(pointers)
  if (sources.has('')) return []
  const problems: Problem[] = []
  for (const [name, value] of Object.entries(document)) {
    if (name === 'schema' || name === 'collection' || covered(value, `/${name}`, sources)) continue
    uncovered(value, `/${name}`, pointers, problems)
  }
  return problems
}
