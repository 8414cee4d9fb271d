import type { Paint } from './colour.ts'

/** How a human report is laid out. */
export interface Layout {
  /** Characters in a line. */
  readonly columns: number
  readonly paint: Paint
  /** Whether to show what did not matter to the outcome, too. */
  readonly verbose: boolean
}

/** A section of a report: its heading and its lines; nothing when it has no lines. */
export function section(heading: string, lines: readonly string[], { paint }: Layout): string[] {
  return lines.length === 0 ? [] : ['', paint('bold', heading), '', ...lines]
}
