import { pointerTo } from '../facts/pointer.ts'

function namesOf(left: object, right: object): string[] {
  return [...new Set([...Object.keys(left), ...Object.keys(right)])]
}

/** Pointer of the first place in which two JSON values differ, undefined when they are equal. */
export function firstDifference(left: unknown, right: unknown, pointer = ''): string | undefined {
  if (left === right) return undefined
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return pointer
  if (Array.isArray(left) !== Array.isArray(right)) return pointer
  for (const name of namesOf(left, right)) {
    const found = firstDifference(Reflect.get(left, name), Reflect.get(right, name), pointerTo(pointer, name))
    if (found !== undefined) return found
  }
  return undefined
}
