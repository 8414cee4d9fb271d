import { errorKinds, ImagegateError, type Problem } from '../errors.ts'
import { safeText } from './escape.ts'

function place({ file, line, column, pointer }: Problem): string {
  const position = [file, line, column].filter((part) => part !== undefined).join(':')
  if (position === '' || pointer === undefined || pointer === '') return position === '' ? (pointer ?? '') : position
  return `${position} (${pointer})`
}

function problemLine(problem: Problem): string {
  const where = place(problem)
  return where === '' ? `  ${problem.message}` : `  ${where}: ${problem.message}`
}

function systemText(error: Error): string | undefined {
  const code: unknown = Reflect.get(error, 'code')
  return typeof code === 'string' && 'syscall' in error ? error.message : undefined
}

/** An error that imagegate throws on purpose as lines: code and title, detail, each problem with its place, the mend. */
function knownLines(error: ImagegateError, name: string): string[] {
  const { code, message, problems, total } = error
  const { title, mend } = errorKinds[code]
  const hidden = total - problems.length
  return [
    `${name}: ${code}: ${title}`,
    `  ${message}`,
    ...problems.map(problemLine),
    ...(hidden > 0 ? [`  and ${hidden} more`] : []),
    `  ${mend}`,
  ]
}

function unknownLines(error: unknown, name: string): string[] {
  const text = error instanceof Error ? systemText(error) : undefined
  if (text !== undefined) return [`${name}: ${text}`]
  const { title } = errorKinds.INTERNAL
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return [`${name}: INTERNAL: ${title}`, ...stack.split('\n').map((line) => `  ${line}`)]
}

/** An error as text for standard error; `where` names the input it belongs to. */
export function errorReport(error: unknown, where?: string): string {
  const name = where === undefined ? 'imagegate' : `imagegate: ${where}`
  const lines = error instanceof ImagegateError ? knownLines(error, name) : unknownLines(error, name)
  return lines.map((line) => `${safeText(line)}\n`).join('')
}

/** An error as a member of JSON output. */
export function errorJson(error: ImagegateError): Record<string, unknown> {
  const { code, message: detail, problems, total } = error
  return { code, title: errorKinds[code].title, detail, ...(total === 0 ? {} : { problems, total }) }
}
