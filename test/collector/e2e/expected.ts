import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import type { Verdict } from '../../../server/documents/verdict.ts'

/** What is compared of a verdict: everything that a person decides by. */
export interface Judged {
  readonly family: string
  /** Type, id and version of the system, as far as they are known. */
  readonly subject: string
  readonly outcome: string
  /** Result by rule, and behind a comma its effect where it has one: "fail, block". */
  readonly findings: Readonly<Record<string, string>>
  /** What importing as a non-standard system would answer. */
  readonly alternatives: Readonly<Record<string, string>>
}

/** The part of a verdict that expectations speak of. */
export function judged(verdict: Verdict): Judged {
  const { osType, osId, osVersion } = verdict.subject
  const findings = verdict.findings.map(({ rule, result, effect }) => [
    rule,
    effect === 'none' ? result : `${result}, ${effect}`,
  ])
  return {
    family: verdict.policy.family,
    subject: [osType, osId, osVersion].filter((part) => part !== undefined).join(' '),
    outcome: verdict.outcome,
    findings: Object.fromEntries(findings),
    alternatives: Object.fromEntries(verdict.alternatives.map(({ importAs, outcome }) => [importAs, outcome])),
  }
}

const isText = (value: unknown): value is string => typeof value === 'string'

function textsOf(value: unknown): Record<string, string> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return Object.fromEntries(entries.map(([key, text]) => [key, String(text)]))
}

/**
 * The expected verdict of an image, from expected/NAME.yaml: either in full, or by what differs from the verdict of the image
 * that its member base names.
 */
export async function expectedOf(name: string): Promise<Judged> {
  const path = fileURLToPath(new URL(`../images/expected/${name}.yaml`, import.meta.url))
  const own: Record<string, unknown> = parse(await readFile(path, 'utf8'))
  const base = isText(own['base']) ? await expectedOf(own['base']) : undefined
  const text = (key: 'family' | 'subject' | 'outcome') => {
    const value = own[key]
    return isText(value) ? value : (base?.[key] ?? '')
  }
  return {
    family: text('family'),
    subject: text('subject'),
    outcome: text('outcome'),
    findings: { ...base?.findings, ...textsOf(own['findings']), ...textsOf(own['differs']) },
    alternatives: textsOf(own['alternatives']),
  }
}
