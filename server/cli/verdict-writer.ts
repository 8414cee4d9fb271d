import type { Verdict } from '../documents/verdict.ts'
import type { ImagegateError } from '../errors.ts'
import { painter } from './colour.ts'
import { errorJson, errorReport } from './error-report.ts'
import { safeText } from './escape.ts'
import { humanReport } from './human-report.ts'
import type { Input } from './inputs.ts'
import { jsonLine, jsonReport } from './json-report.ts'
import type { Layout } from './layout.ts'
import type { Terminal } from './terminal.ts'
import { formatOf, type ShowOptions } from './usage.ts'

/** Human reports are not made wider than this. */
const readableColumns = 110

/** Writes the results of an evaluation, one by one. */
export interface VerdictWriter {
  verdict(input: Input, verdict: Verdict): Promise<void>
  problem(input: Input, error: ImagegateError): Promise<void>
}

function nameOf({ file, line }: Input): string {
  const name = file === '-' ? 'standard input' : file
  return line === undefined ? name : `${name}:${line}`
}

/** How human reports are laid out on this terminal. */
export function layoutOf(terminal: Terminal, options: ShowOptions & { readonly verbose?: boolean }): Layout {
  const { stdout, colourUnwanted } = terminal
  return {
    columns: Math.min(stdout.columns, readableColumns),
    paint: painter(options.color, stdout, colourUnwanted),
    verbose: options.verbose === true,
  }
}

/** One document's verdict is a report or a JSON document; those of several are reports with their names, or NDJSON. */
export function verdictWriter(
  terminal: Terminal,
  options: ShowOptions & { readonly verbose?: boolean },
  several: boolean,
): VerdictWriter {
  const { stdout, stderr } = terminal
  const json = formatOf(options.format, stdout) === 'json'
  const layout = layoutOf(terminal, options)
  const place = ({ file, line }: Input) => (line === undefined ? { file } : { file, line })
  let separator = ''
  return {
    async verdict(input, verdict) {
      if (json) return stdout.write(several ? jsonLine({ ...place(input), verdict }) : jsonReport(verdict, stdout))
      const name = several ? `${separator}${layout.paint('bold', safeText(`== ${nameOf(input)} ==`))}\n` : ''
      separator = '\n'
      await stdout.write(`${name}${humanReport(verdict, layout)}`)
    },
    async problem(input, error) {
      if (json && several) await stdout.write(jsonLine({ ...place(input), problem: errorJson(error) }))
      await stderr.write(errorReport(error, nameOf(input)))
    },
  }
}
