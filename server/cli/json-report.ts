import { safeJson } from './escape.ts'
import type { Output } from './output.ts'

/** A value as JSON text with a line feed: indented on a terminal, one line otherwise, and always safe to show. */
export function jsonReport(value: unknown, output: Output): string {
  return `${safeJson(JSON.stringify(value, undefined, output.isTerminal ? 2 : undefined))}\n`
}

/** A value as one line of NDJSON. */
export function jsonLine(value: unknown): string {
  return `${safeJson(JSON.stringify(value))}\n`
}
