import type { Verdict } from '../documents/verdict.ts'
import type { ImagegateError } from '../errors.ts'

/** Where an answer's document or image came from. */
export interface Place {
  /** As it was named, which may be hostile; - for standard input. */
  readonly file: string
  /** Line of an NDJSON input, counted from 1. */
  readonly line?: number
}

/** What one input was answered with. */
export type Answer = { readonly place: Place } & (
  | { readonly verdict: Verdict; readonly error?: undefined }
  | { readonly verdict?: undefined; readonly error: ImagegateError }
)

/** An input as reports name it. Not yet safe to show. */
export function nameOf({ file, line }: Place): string {
  const name = file === '-' ? 'standard input' : file
  return line === undefined ? name : `${name}:${line}`
}
