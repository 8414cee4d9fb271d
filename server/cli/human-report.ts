import type { Finding, Verdict } from '../documents/verdict.ts'
import { briefLines, failureLines, unknownLines } from './finding-lines.ts'
import { type Layout, section } from './layout.ts'
import { reportHead } from './report-head.ts'
import { findingsInOrder } from './report-order.ts'
import { alternativeLines, missingLines, parameterLines } from './report-tail.ts'

function lines(findings: readonly Finding[], layout: Layout): string[] {
  const found = findings.flatMap((finding, index) => {
    const lead = `${index + 1}. `.padStart(4)
    return finding.result === 'fail' ? failureLines(finding, lead, layout) : unknownLines(finding, lead, layout)
  })
  return found.slice(0, -1)
}

function quiet(verdict: Verdict, layout: Layout): string[] {
  const { counts, findings } = verdict
  const of = (result: Finding['result']) => findings.filter((finding) => finding.result === result)
  if (!layout.verbose) {
    const text = `${counts.pass} rules pass and ${counts.not_applicable} do not apply; --verbose lists them.`
    return ['', text]
  }
  return [
    ...section(`Passed (${counts.pass})`, briefLines(of('pass'), layout), layout),
    ...section(`Not applicable (${counts.not_applicable})`, briefLines(of('not_applicable'), layout), layout),
  ]
}

/** A verdict as a document that an engineer can act on: outcome first, then what to do, in the order to do it. */
export function humanReport(verdict: Verdict, layout: Layout): string {
  const blocking = findingsInOrder(verdict, 'block')
  const failed = blocking.filter(({ result }) => result === 'fail')
  const unknown = blocking.filter(({ result }) => result === 'unknown')
  const warnings = findingsInOrder(verdict, 'warn')
  const notes = findingsInOrder(verdict, 'inform')
  const all = [
    ...reportHead(verdict, layout),
    ...section(`To mend, in this order (${failed.length})`, lines(failed, layout), layout),
    ...section(`Undetermined (${unknown.length})`, lines(unknown, layout), layout),
    ...section(`Facts to collect (${verdict.missing.length})`, missingLines(verdict.missing, layout), layout),
    ...section(`Warnings (${warnings.length})`, lines(warnings, layout), layout),
    ...section(`Notes (${notes.length})`, lines(notes, layout), layout),
    ...section('Alternatives', alternativeLines(verdict.alternatives, layout), layout),
    ...section('Import parameters', parameterLines(verdict.importParameters), layout),
    ...quiet(verdict, layout),
  ]
  return `${all.join('\n')}\n`
}
