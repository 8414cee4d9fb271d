import { Option } from 'commander'
import type { FailLevel } from './exit.ts'
import type { Output } from './output.ts'
import type { Answer } from './report-answer.ts'
import { htmlReport } from './report-html.ts'
import { junitReport } from './report-junit.ts'
import { markdownReport } from './report-markdown.ts'
import { sarifReport } from './report-sarif.ts'
import type { Format, ShowOptions } from './usage.ts'

/** Formats that hold all answers in one document, which is written at the end. */
const documents: Readonly<Record<string, (answers: readonly Answer[], failOn: FailLevel) => string>> = {
  markdown: markdownReport,
  html: htmlReport,
  sarif: sarifReport,
  junit: junitReport,
}

/** What --format says of a report on verdicts. */
export type ReportFormat = Format | 'markdown' | 'html' | 'sarif' | 'junit'

/** Options of every command that reports verdicts. */
export interface ReportOptions extends Omit<ShowOptions, 'format'> {
  readonly format?: ReportFormat
  readonly verbose?: true
  readonly failOn: FailLevel
}

/** What help says of the formats. */
export const formatNotes: readonly string[] = [
  'SARIF holds every rule: fail with its level, pass, open for unknown, notApplicable. In JUnit only a pass is green:',
  'a blocking fail is a failure, a blocking unknown an error (with --fail-on warn also those that warn), all others are',
  'skipped with their reason; an input that could not be judged is an error.',
]

const endings: Readonly<Record<string, ReportFormat>> = {
  html: 'html',
  htm: 'html',
  md: 'markdown',
  sarif: 'sarif',
  xml: 'junit',
  json: 'json',
  ndjson: 'json',
  txt: 'human',
}

/** --format with every format of a report; `byDefault` tells which is taken when none is asked for. */
export function reportFormatOption(byDefault: string): Option {
  const formats = ['human', 'json', ...Object.keys(documents)]
  return new Option('--format <format>', `form of the report (${byDefault})`).choices(formats)
}

/** The form of a report: as asked for, else by the ending of the file it goes to, else human on a terminal and JSON otherwise. */
export function reportFormatOf(asked: ReportFormat | undefined, output: Output, file?: string): ReportFormat {
  const ending = file === undefined ? undefined : /\.([a-z]+)$/i.exec(file)?.[1]?.toLowerCase()
  return asked ?? endings[ending ?? ''] ?? (output.isTerminal ? 'human' : 'json')
}

/** The writer of a format that is one document; undefined for those that are written answer by answer. */
export function documentOf(
  format: ReportFormat,
): ((answers: readonly Answer[], failOn: FailLevel) => string) | undefined {
  return Object.hasOwn(documents, format) ? documents[format] : undefined
}
