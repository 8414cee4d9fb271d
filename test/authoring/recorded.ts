import { readFileSync } from 'node:fs'
import { openSqliteStore } from '../../server/audit/sqlite.ts'
import type { RecordedVerdict } from '../../server/audit/store.ts'
import { evaluateAndRecord } from '../../server/evaluation/record.ts'
import { type ParsedFacts, parseFacts } from '../../server/facts/parse.ts'
import { loadPolicies, readPolicyText, shippedPolicies } from '../../server/policy/load.ts'
import { findVersion, type PolicySet, type ReleasedPolicy } from '../../server/policy/set.ts'
import { submittedBy } from '../audit/records.ts'
import { random } from '../support/long.ts'

/** The shipped policies. */
export const policies: PolicySet = await loadPolicies(shippedPolicies, { released: false })

/** The text of linux 1.0.0 as a version 1.1.0 with replacements, each of which must be found. */
export function candidateText(...replacements: readonly (readonly [from: string, to: string])[]): string {
  let text = findVersion(policies, 'linux', '1.0.0')?.text ?? ''
  for (const [from, to] of [['version: "1.0.0"', 'version: "1.1.0"'] as const, ...replacements]) {
    if (!text.includes(from)) throw new Error(`linux 1.0.0 has no ${from}`)
    text = text.replace(from, () => to)
  }
  return text
}

/** A policy of a text. */
export function policyOf(text: string): ReleasedPolicy {
  const { policy, problems } = readPolicyText(text, 'candidate.yaml')
  if (policy === undefined) throw new Error(JSON.stringify(problems))
  return policy
}

/** A candidate that asks for more free space and for newer releases of Debian. */
export const stricterText = candidateText(
  ['value: 104857600', 'value: 1073741824'],
  ['[6, 7, 8, 9, 10]', '[10, 11, 12]'],
)

/** Names that a terminal, a page or a table would act on. */
export const hostileName = 'a\u001b[2J|$(reboot)\u202e<b>[x](javascript:1)`.qcow2'

const bases = ['linux/ready', 'linux/several-faults', 'linux/coreos-ready', 'linux/freebsd-ready'].map((name) =>
  readFileSync(new URL(`../../examples/${name}.json`, import.meta.url), 'utf8'),
)

/** Linux documents near the bounds that a candidate may move; every fifth has the facts of one before. */
export function* documents(count: number, seed: number): Generator<string, void, void> {
  const next = random(seed)
  const upTo = (bound: number) => Math.floor(next() * bound)
  let last = ''
  for (let serial = 0; serial < count; serial += 1) {
    if (serial % 5 === 4) {
      yield last
      continue
    }

    const document = JSON.parse(bases[upTo(bases.length)] ?? '')
    document.image.name = serial % 7 === 3 ? `${serial}${hostileName}` : `image-${serial}.qcow2`
    for (const volume of document.volumes ?? []) if ('freeBytes' in volume) volume.freeBytes = upTo(2 ** 31)
    if (document.os.id === 'debian') document.os.version = `${8 + upTo(5)}.1`
    if (next() < 0.3) delete document.agents
    last = JSON.stringify(document)
    yield last
  }
}

/** One recorded verdict and the facts that it was judged from. */
export interface Known {
  readonly verdict: RecordedVerdict
  readonly facts: ParsedFacts
}

/** Judges documents by the shipped policies and records them in a database. */
export async function recordAll(file: string, texts: Iterable<string>, tenant = 'default'): Promise<Known[]> {
  const store = await openSqliteStore({ file })
  const recorder = { policies, store, now: () => new Date() }
  const known: Promise<Known>[] = []
  for (const [index, text] of [...texts].entries()) {
    const facts = parseFacts(Buffer.from(text))
    const given = index % 4 === 0 ? { systemDiskBytes: 42949672960 } : {}
    known.push(
      evaluateAndRecord(recorder, { tenant, submittedBy, facts, given }).then(({ verdict }) => {
        if (verdict === undefined) throw new Error('not recorded')
        return { verdict, facts }
      }),
    )
    if (index % 100 === 99) await Promise.all(known)
  }
  const all = await Promise.all(known)
  await store.close()
  return all
}
