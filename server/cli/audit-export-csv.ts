import type { ExportRecord } from '../audit/export-source.ts'

/** The columns, in their order; sequence is the place in the chain. */
const columns = [
  'id',
  'recordedAt',
  'outcome',
  'family',
  'policyVersion',
  'policyDigest',
  'osType',
  'osId',
  'osVersion',
  'imageName',
  'imageDigest',
  'factsDigest',
  'documentDigest',
  'recordDigest',
] as const

/** A spreadsheet takes what begins so for a formula; an apostrophe before it makes it text. */
const formula = /^[=+\-@\t\r\n]/

function cell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return ''
  const text = String(value)
  const safe = formula.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) || safe !== text ? `"${safe.replaceAll('"', '""')}"` : safe
}

function row(cells: readonly (string | number | null | undefined)[]): string {
  return `${cells.map(cell).join(',')}\r\n`
}

/** The heading (RFC 4180). */
export const csvHeading = row(['sequence', ...columns])

/** A record as a row. */
export function csvRow({ entry, summary }: Pick<ExportRecord, 'entry' | 'summary'>): string {
  return row([entry?.sequence, ...columns.map((name) => summary[name])])
}
