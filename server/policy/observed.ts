import type { ComparedValue } from '../documents/verdict.ts'

const maxObservedBytes = 1024

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

/** A value as evidence can show it. The profile lets conditions read scalars and lists of scalars only. */
export function comparedValue(value: unknown): ComparedValue | undefined {
  if (isScalar(value) || typeof value === 'boolean') return value
  return Array.isArray(value) ? value.filter(isScalar) : undefined
}

/** The part of a text that fits in so many bytes of UTF-8, no character cut in two. */
function cut(text: string, bytes: number): string {
  let end = Math.min(text.length, bytes)
  while (Buffer.byteLength(text.slice(0, end)) > bytes) end -= 1
  return text
    .slice(0, end)
    .toWellFormed()
    .replace(/\uFFFD$/, '')
}

function cutList<T>(list: readonly T[]): T[] {
  let size = 2
  const end = list.findIndex((element) => {
    size += Buffer.byteLength(JSON.stringify(element)) + 1
    return size > maxObservedBytes
  })
  return end === -1 ? [...list] : list.slice(0, end)
}

/** A value whose JSON form is within 1 KiB, cut when it must be. */
export function capped(value: ComparedValue): { value: ComparedValue; truncated: boolean } {
  if (typeof value === 'string') {
    const truncated = Buffer.byteLength(value) > maxObservedBytes
    return { value: truncated ? cut(value, maxObservedBytes) : value, truncated }
  }
  if (!Array.isArray(value)) return { value, truncated: false }
  const kept = cutList<string | number>(value)
  return { value: kept, truncated: kept.length < value.length }
}
