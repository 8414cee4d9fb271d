import type { StoredRecord } from '../audit/store.ts'
import type { Finding, Verdict } from '../documents/verdict.ts'
import { ImagegateError } from '../errors.ts'
import { isObject } from '../facts/pointer.ts'

/** A rule's result and effect in a verdict; 'absent' where its policy does not have the rule. */
export type RuleState = Pick<Finding, 'result' | 'effect'> | 'absent'

type Judged = Pick<Verdict, 'asOf' | 'outcome' | 'factsDigest' | 'documentDigest' | 'evaluator' | 'policy'> & {
  readonly options: object
  readonly findings: readonly Pick<Finding, 'rule' | 'result' | 'effect'>[]
}

/** What the timeline compares of a record. */
export interface TimelineRecord {
  readonly id: string
  readonly verdict: Omit<Judged, 'options' | 'findings'>
  /** The verdict's options as JSON; the record is canonical, so that equal options are equal texts. */
  readonly options: string
  /** In policy order. */
  readonly rules: ReadonlyMap<string, Exclude<RuleState, 'absent'>>
  /** As StoredRecord has it. */
  readonly document: string | undefined
}

/** Reads a record. Throws INTERNAL for one that is no verdict. */
export function timelineRecord({ id, body, document }: StoredRecord): TimelineRecord {
  const value: unknown = JSON.parse(body)
  if (!isJudged(value)) throw new ImagegateError('INTERNAL', `The record of ${id} is not a verdict.`)
  const { options, findings, ...verdict } = value
  const rules = new Map(findings.map(({ rule, result, effect }) => [rule, { result, effect }]))
  return { id, verdict, options: JSON.stringify(options), rules, document }
}

const isText = (value: unknown) => typeof value === 'string'

/** No more than what is compared: the whole schema takes twice as long as parsing, for a hundred verdicts of a page. */
function isJudged(value: unknown): value is Judged {
  if (!isObject(value)) return false
  const { asOf, outcome, factsDigest, documentDigest, evaluator, policy, options, findings } = value
  return (
    [asOf, outcome, factsDigest, documentDigest].every(isText) &&
    typeof evaluator === 'number' &&
    isObject(policy) &&
    [policy['digest'], policy['family'], policy['version'], policy['selectedBy']].every(isText) &&
    isObject(options) &&
    Array.isArray(findings) &&
    findings.every((one) => isObject(one) && [one['rule'], one['result'], one['effect']].every(isText))
  )
}

const besideSections = ['schema', 'collection']

/** The sections of fact documents as JSON; each document is read once, however many records have it. */
export class DocumentSections {
  readonly #read = new Map<string, ReadonlyMap<string, string> | undefined>()

  /** Names of the sections that differ; undefined when one of the documents is not there. */
  differing(older: TimelineRecord, newer: TimelineRecord): readonly string[] | undefined {
    const [from, to] = [this.#sections(older), this.#sections(newer)]
    if (from === undefined || to === undefined) return undefined
    return [...new Set([...from.keys(), ...to.keys()])].filter((name) => from.get(name) !== to.get(name)).sort()
  }

  #sections({ document, verdict }: TimelineRecord): ReadonlyMap<string, string> | undefined {
    const digest = verdict.documentDigest
    if (!this.#read.has(digest)) this.#read.set(digest, sectionsOf(document))
    return this.#read.get(digest)
  }
}

function sectionsOf(document: string | undefined): ReadonlyMap<string, string> | undefined {
  const parsed: unknown = document === undefined || document === 'expired' ? undefined : JSON.parse(document)
  if (!isObject(parsed)) return undefined
  const named = Object.entries(parsed).filter(([name]) => !besideSections.includes(name))
  return new Map(named.map(([name, section]) => [name, JSON.stringify(section)]))
}
