import { readdir, readFile } from 'node:fs/promises'
import { applyPatch } from 'rfc6902'
import { parse } from 'yaml'
import type { FactDocument } from '../../server/documents/facts.ts'
import type { Case, PolicyTest } from '../../server/documents/policy-test.ts'
import type { Verdict } from '../../server/documents/verdict.ts'
import { judge } from '../../server/evaluation/judge.ts'
import type { GivenOptions } from '../../server/evaluation/options.ts'
import { type ParsedFacts, parseFacts } from '../../server/facts/parse.ts'
import { loadPolicies, shippedPolicies } from '../../server/policy/load.ts'
import { matches, problemsOf } from '../../server/schemas.ts'

export const top = new URL('../../', import.meta.url)

/** The shipped policies as they stand in the tree; the lock has a test of its own. */
export const policies = await loadPolicies(shippedPolicies, { released: false })

export async function readFacts(path: string): Promise<FactDocument> {
  return parseFacts(await readFile(new URL(path, top))).document
}

export interface TestFile extends PolicyTest {
  file: string
}

/** Every file of policy cases, checked against its schema. */
export async function testFiles(): Promise<TestFile[]> {
  const names = await readdir(new URL('policies/', top), { recursive: true })
  const files = names.filter((name) => /tests\/.*\.yaml$/.test(name)).sort()
  return Promise.all(
    files.map(async (file) => {
      const value: unknown = parse(await readFile(new URL(`policies/${file}`, top), 'utf8'))
      if (!matches('policy-test', value))
        throw new Error(`${file}: ${JSON.stringify(problemsOf('policy-test', value))}`)
      return { file, ...value }
    }),
  )
}

export function judgeDocument(document: unknown, options: GivenOptions, version: string): Verdict {
  const facts: ParsedFacts = parseFacts(Buffer.from(JSON.stringify(document)))
  return judge(policies, facts, { ...options, policyVersion: version }, new Date('2026-01-01T00:00:00Z')).verdict
}

export function results(verdict: Verdict): Record<string, string> {
  return Object.fromEntries(verdict.findings.map(({ rule, result }) => [rule, result]))
}

/** A case's verdict beside that of its base. */
export async function runCase(test: PolicyTest, one: Case): Promise<{ base: Verdict; verdict: Verdict }> {
  const document = await readFacts(one.base ?? test.base)
  const base = judgeDocument(document, test.options ?? {}, test.version)
  const errors = applyPatch(document, structuredClone(one.patch) as Parameters<typeof applyPatch>[1])
  const failed = errors.find((error) => error !== null)
  if (failed) throw failed
  return { base, verdict: judgeDocument(document, one.options ?? test.options ?? {}, test.version) }
}
