import type { Finding, Verdict } from '../documents/verdict.ts'

/** Findings of one effect: failed ones in the order of their remediation, unknown ones after them in policy order. */
export function findingsInOrder({ findings, remediationOrder }: Verdict, effect: Finding['effect']): Finding[] {
  const place = new Map(remediationOrder.map((rule, index) => [rule, index]))
  const failed = findings.filter((finding) => finding.effect === effect && finding.result === 'fail')
  const unknown = findings.filter((finding) => finding.effect === effect && finding.result === 'unknown')
  const last = remediationOrder.length
  return [...failed.toSorted((a, b) => (place.get(a.rule) ?? last) - (place.get(b.rule) ?? last)), ...unknown]
}
