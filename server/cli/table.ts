import type { Paint } from './colour.ts'
import { safeText } from './escape.ts'
import { pad, widthOf } from './wrap.ts'

/** Rows below a heading, in columns of equal width, the last one free; all cells are made safe to show. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string {
  const safe = [heading, ...rows].map((row) => row.map(safeText))
  const widths = heading.map((_, column) => Math.max(...safe.map((row) => widthOf(row[column] ?? ''))))
  const lines = safe.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : pad(cell, widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  return lines.map((line, index) => `${index === 0 ? paint('bold', line) : line}\n`).join('')
}
