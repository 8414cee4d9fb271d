import { isObject, pointerTo } from '../../facts/pointer.ts'

/** A member that differs between two documents. */
export interface Change {
  readonly pointer: string
  /** Undefined when the first lacks it. */
  readonly from: unknown
  /** Undefined when the second lacks it. */
  readonly to: unknown
}

function equal(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}

function listChanges(pointer: string, from: readonly unknown[], to: readonly unknown[]): Change[] {
  if (from.length === to.length)
    return from.flatMap((one, index) => changesOf(pointerTo(pointer, index), one, to[index]))
  const short = Math.min(from.length, to.length)
  let head = 0
  while (head < short && equal(from[head], to[head])) head += 1
  let tail = 0
  while (tail < short - head && equal(from.at(-1 - tail), to.at(-1 - tail))) tail += 1
  const gone = from.slice(head, from.length - tail)
  const come = to.slice(head, to.length - tail)
  if (gone.length > 0 && come.length > 0) return [{ pointer, from, to }]
  return [
    ...gone.map((one, index) => ({ pointer: pointerTo(pointer, head + index), from: one, to: undefined })),
    ...come.map((one, index) => ({ pointer: pointerTo(pointer, head + index), from: undefined, to: one })),
  ]
}

/** The members that differ between two values, the innermost that tell it. A list in whose middle both differ is told as a whole. */
export function changesOf(pointer: string, from: unknown, to: unknown): Change[] {
  if (equal(from, to)) return []
  if (Array.isArray(from) && Array.isArray(to) && [...from, ...to].every(isObject))
    return listChanges(pointer, from, to)
  if (!isObject(from) || !isObject(to)) return [{ pointer, from, to }]
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  return names.flatMap((name) => changesOf(pointerTo(pointer, name), from[name], to[name]))
}
