import type { Linted } from '../authoring/lint.ts'
import type { LintProblem, Severity } from '../policy/lint/head.ts'
import { safeText } from './escape.ts'
import type { Layout } from './layout.ts'
import { wrap } from './wrap.ts'

const colours = { error: 'red', warning: 'yellow', note: 'cyan' } as const

/** How many problems there are of each severity. */
export function countsOf(problems: readonly LintProblem[]): Record<Severity, number> {
  const count = (wanted: Severity) => problems.filter(({ severity }) => severity === wanted).length
  return { error: count('error'), warning: count('warning'), note: count('note') }
}

function plural(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`
}

function problemLines(problem: LintProblem, { columns, paint }: Layout): string[] {
  const { file, line, column, code, severity, message, mend } = problem
  return [
    `${paint('bold', `${safeText(file)}:${line}:${column}`)} ${paint(colours[severity], severity)} ${code}`,
    ...wrap(safeText(message), columns, '  '),
    ...wrap(safeText(mend), columns, '  Mend: '),
    '',
  ]
}

/** Problems for people: each with its place, code, message and mend; then how many there are. */
export function lintHuman({ problems, files }: Linted, layout: Layout): string {
  const { error, warning, note } = countsOf(problems)
  const total = `${plural(error, 'error')}, ${plural(warning, 'warning')}, ${plural(note, 'note')} in ${plural(files.length, 'file')}.`
  return [...problems.flatMap((problem) => problemLines(problem, layout)), total, ''].join('\n')
}
