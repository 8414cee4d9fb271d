import { readFile } from 'node:fs/promises'
import { readCaseFiles } from '../../server/authoring/case-files.ts'
import { type BrokenCase, Preparation, type PreparedCase } from '../../server/authoring/situation.ts'
import type { FactDocument } from '../../server/documents/facts.ts'
import type { Verdict } from '../../server/documents/verdict.ts'
import { judge } from '../../server/evaluation/judge.ts'
import type { GivenOptions } from '../../server/evaluation/options.ts'
import { type ParsedFacts, parseFacts } from '../../server/facts/parse.ts'
import { loadPolicies, shippedPolicies } from '../../server/policy/load.ts'

export const top = new URL('../../', import.meta.url)

/** The shipped policies as they stand in the tree; the lock has a test of its own. */
export const policies = await loadPolicies(shippedPolicies, { released: false })

export async function readFacts(path: string): Promise<FactDocument> {
  return parseFacts(await readFile(new URL(path, top))).document
}

/** Every case beside the shipped policies. */
export async function shippedCases(): Promise<(PreparedCase | BrokenCase)[]> {
  const preparation = new Preparation(shippedPolicies)
  const files = await readCaseFiles(shippedPolicies, policies)
  return (await Promise.all(files.map((file) => preparation.cases(file)))).flat()
}

export function judgeDocument(document: unknown, options: GivenOptions, version: string): Verdict {
  const facts: ParsedFacts = parseFacts(Buffer.from(JSON.stringify(document)))
  return judge(policies, facts, { ...options, policyVersion: version }, new Date('2026-01-01T00:00:00Z')).verdict
}

export function results(verdict: Verdict): Record<string, string> {
  return Object.fromEntries(verdict.findings.map(({ rule, result }) => [rule, result]))
}
