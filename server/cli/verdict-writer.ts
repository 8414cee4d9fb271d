import type { Verdict } from '../documents/verdict.ts'
import type { ImagegateError } from '../errors.ts'
import { painter } from './colour.ts'
import { errorJson, errorReport } from './error-report.ts'
import { safeText } from './escape.ts'
import { humanReport } from './human-report.ts'
import { jsonLine, jsonReport } from './json-report.ts'
import type { Layout } from './layout.ts'
import { type Answer, nameOf, type Place } from './report-answer.ts'
import { documentOf, type ReportOptions, reportFormatOf } from './report-format.ts'
import type { Terminal } from './terminal.ts'
import type { ShowOptions } from './usage.ts'

/** Human reports are not made wider than this. */
const readableColumns = 110

/** Writes the results of an evaluation, one by one. */
export interface VerdictWriter {
  verdict(place: Place, verdict: Verdict): Promise<void>
  problem(place: Place, error: ImagegateError): Promise<void>
  /** Writes what could not be written before the last answer was there. */
  end(): Promise<void>
}

/** How human reports are laid out on this terminal. */
export function layoutOf(
  terminal: Pick<Terminal, 'stdout' | 'colourUnwanted'>,
  options: Pick<ShowOptions, 'color'> & { readonly verbose?: boolean },
): Layout {
  const { stdout, colourUnwanted } = terminal
  return {
    columns: Math.min(stdout.columns, readableColumns),
    paint: painter(options.color, stdout, colourUnwanted),
    verbose: options.verbose === true,
  }
}

/**
 * One document's verdict is a report or a JSON document; those of several are reports with their names, or NDJSON. `file` is what the
 * output is written to, for the format that its ending asks for.
 */
export function verdictWriter(
  terminal: Pick<Terminal, 'stdout' | 'stderr' | 'colourUnwanted'>,
  options: ReportOptions,
  several: boolean,
  file?: string,
): VerdictWriter {
  const { stdout, stderr } = terminal
  const format = reportFormatOf(options.format, stdout, file)
  const document = documentOf(format)
  const layout = layoutOf(terminal, options)
  const answers: Answer[] = []
  let separator = ''
  return {
    async verdict(place, verdict) {
      if (document !== undefined) answers.push({ place, verdict })
      else if (format === 'json') {
        await stdout.write(several ? jsonLine({ ...place, verdict }) : jsonReport(verdict, stdout))
      } else {
        const name = several ? `${separator}${layout.paint('bold', safeText(`== ${nameOf(place)} ==`))}\n` : ''
        separator = '\n'
        await stdout.write(`${name}${humanReport(verdict, layout)}`)
      }
    },
    async problem(place, error) {
      if (document !== undefined) answers.push({ place, error })
      else if (format === 'json' && several) await stdout.write(jsonLine({ ...place, problem: errorJson(error) }))
      await stderr.write(errorReport(error, nameOf(place)))
    },
    async end() {
      if (document !== undefined) await stdout.write(document(answers, options.failOn))
    },
  }
}
