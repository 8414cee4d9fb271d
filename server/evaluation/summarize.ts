import type { FactDocument } from '../documents/facts.ts'
import type { Finding, MissingFact, Verdict } from '../documents/verdict.ts'
import { isAbove } from '../facts/pointer.ts'
import { escapeText } from '../policy/text.ts'
import type { Evaluated } from './evaluate.ts'

/** The outcome of a verdict by the declared effects of what did not pass. */
export function outcomeOf(findings: readonly Pick<Finding, 'effect' | 'result'>[]): Verdict['outcome'] {
  const blocking = findings.filter(({ effect }) => effect === 'block')
  if (blocking.some(({ result }) => result === 'fail')) return 'not_ready'
  if (blocking.length > 0) return 'undetermined'
  return findings.some(({ effect }) => effect === 'warn') ? 'ready_with_warnings' : 'ready'
}

/** Number of findings by result and by effect. Members stand in canonical order. */
export function countsOf(findings: readonly Finding[]): Verdict['counts'] {
  const counts = {
    block: 0,
    fail: 0,
    inform: 0,
    not_applicable: 0,
    pass: 0,
    rules: findings.length,
    unknown: 0,
    warn: 0,
  }
  for (const { effect, result } of findings) {
    counts[result] += 1
    if (effect !== 'none') counts[effect] += 1
  }
  return counts
}

const stages = ['guest', 'disk', 'container', 'request']

/** Failed rules in the order in which they should be mended: inside the guest first, the import request last. */
export function remediationOrderOf(findings: readonly Finding[]): string[] {
  const failed = findings.filter(({ remediation }) => remediation !== undefined)
  const stage = ({ remediation }: Finding) => stages.indexOf(remediation?.stage ?? '')
  return failed.toSorted((a, b) => stage(a) - stage(b)).map(({ rule }) => rule)
}

/** The collector's own reason for a missing fact: the longest pointer at or above it. */
function reasonFor(pointer: string, facts: FactDocument): { code?: string; reason?: string } {
  const reasons = (facts.collection.missing ?? []).filter((missing) => isAbove(missing.pointer, pointer))
  const [first, ...rest] = reasons
  if (first === undefined) return {}
  const { code, reason } = rest.reduce((best, one) => (one.pointer.length > best.pointer.length ? one : best), first)
  return { code, reason: escapeText(reason) }
}

/** The facts that keep a blocking or warning rule unknown, in policy order, each told once. Members stand in canonical order. */
export function missingOf(evaluated: readonly Evaluated[], facts: FactDocument): MissingFact[] {
  const missing = new Map<string, { collect: string; rules: MissingFact['rules'] }>()
  for (const { finding, missing: pointers } of evaluated) {
    if (finding.effect !== 'block' && finding.effect !== 'warn') continue
    for (const pointer of pointers) {
      const known = missing.get(pointer) ?? { collect: finding.collect ?? finding.title, rules: [] }
      known.rules.push({ alone: pointers.length === 1, rule: finding.rule })
      missing.set(pointer, known)
    }
  }
  return [...missing].map(([pointer, { collect, rules }]) => {
    const { code, reason } = reasonFor(pointer, facts)
    return {
      ...(code === undefined ? {} : { code }),
      collect,
      pointer,
      ...(reason === undefined ? {} : { reason }),
      rules,
    }
  })
}

/** What a verdict is about, as the facts name it. Members stand in canonical order. */
export function subjectOf({ image, os }: FactDocument): Verdict['subject'] {
  const windows = os?.windows?.ntVersion
  const build = os?.windows?.build
  const version = windows === undefined ? os?.version : build === undefined ? windows : `${windows}.${build}`
  return {
    ...(image?.digest === undefined ? {} : { imageDigest: image.digest }),
    ...(image === undefined ? {} : { imageName: image.name }),
    ...(os?.id === undefined ? {} : { osId: os.id }),
    ...(os?.type === undefined ? {} : { osType: os.type }),
    ...(version === undefined ? {} : { osVersion: version }),
  }
}
