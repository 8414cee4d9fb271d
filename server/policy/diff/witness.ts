import type { FactDocument } from '../../documents/facts.ts'
import type { Finding, Options, Verdict } from '../../documents/verdict.ts'
import { ImagegateError } from '../../errors.ts'
import { judge } from '../../evaluation/judge.ts'
import type { GivenOptions } from '../../evaluation/options.ts'
import { coverageProblems } from '../../facts/coverage.ts'
import { parseFacts } from '../../facts/parse.ts'
import type { ReleasedPolicy } from '../set.ts'
import { type Change, changesOf } from './changes.ts'
import { type Contribution, contributionAt, contributions, type Direction, ranksOf } from './contribution.ts'
import { optionTokens } from './groups.ts'
import { setMember } from './members.ts'
import type { Way } from './rule.ts'
import type { Base } from './slots.ts'

/** What one policy says of a witness document. */
export interface Judged {
  /** Undefined when the policy has no such rule. */
  readonly result: Finding['result'] | undefined
  readonly contribution: Contribution
  readonly outcome: Verdict['outcome']
}

/** A valid document that shows a direction of change, judged under both policies. */
export interface Witness {
  readonly base: string
  readonly changes: readonly Change[]
  readonly options: GivenOptions
  readonly document: FactDocument
  readonly before: Judged
  readonly after: Judged
}

function givenOptions({ importAs, systemDisk }: Options): GivenOptions {
  return {
    ...(importAs === 'none' ? {} : { importAs }),
    ...(systemDisk.sizeBytes === undefined ? {} : { systemDiskBytes: systemDisk.sizeBytes }),
  }
}

function edited({ base, edits }: Way): { base: Base; changes: Change[] } {
  const document = structuredClone(base.document)
  const options = structuredClone(base.options)
  for (const { pointer, value } of edits) {
    const tokens = optionTokens(pointer)
    if (tokens === undefined) setMember(document, pointer, value)
    else setMember(options, pointer.slice('/request'.length), value, {})
  }
  for (const { pointer } of coverageProblems(document)) {
    if (pointer !== undefined) document.collection.sources[0]?.pointers.push(pointer)
  }
  const sections = (one: FactDocument) => ({ ...one, collection: undefined })
  const changes = [
    ...changesOf('/request', base.options, options),
    ...changesOf('', sections(base.document), sections(document)),
  ]
  return { base: { name: base.name, document, options }, changes }
}

function judged(policy: ReleasedPolicy, rule: string, body: Uint8Array, options: GivenOptions): Judged {
  const given = { ...options, policyVersion: policy.version }
  const { verdict } = judge({ versions: [policy] }, parseFacts(body), given, new Date(policy.effectiveFrom))
  const result = verdict.findings.find((finding) => finding.rule === rule)?.result
  const ranks = ranksOf(policy.policy.rules.find(({ id }) => id === rule)?.effect)
  const rank = result === 'fail' || result === 'unknown' ? ranks[result] : 0
  return { result, contribution: contributionAt(rank), outcome: verdict.outcome }
}

function shows(direction: Direction, before: Judged, after: Judged): boolean {
  const difference = contributions.indexOf(after.contribution) - contributions.indexOf(before.contribution)
  return direction === 'stricter' ? difference > 0 : difference < 0
}

/** The first of the ways that is a valid document and, judged under both policies, shows the direction; undefined when none does. */
export function witnessOf(
  ways: readonly Way[],
  direction: Direction,
  rule: string,
  [before, after]: readonly [ReleasedPolicy, ReleasedPolicy],
): Witness | undefined {
  for (const way of ways) {
    const { base, changes } = edited(way)
    const options = givenOptions(base.options)
    const body = Buffer.from(JSON.stringify(base.document))
    try {
      const found = { before: judged(before, rule, body, options), after: judged(after, rule, body, options) }
      if (!shows(direction, found.before, found.after)) continue
      return { base: base.name, changes, options, document: base.document, ...found }
    } catch (error) {
      if (!(error instanceof ImagegateError)) throw error
    }
  }
  return undefined
}
