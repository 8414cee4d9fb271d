import type { ChangedVerdict, NotReplayed, RuleState } from '../documents/policy-impact.ts'
import type { Verdict } from '../documents/verdict.ts'

/** What is evaluated under the candidate: a verdict as it was recorded, or a line of an export. */
export type ImpactItem = ListedItem | RecordItem | LineItem | BrokenLine

/** A recorded verdict that the thread which evaluates it reads from the database itself: both take as long. */
export interface ListedItem {
  readonly kind: 'listed'
  readonly id: string
  readonly factsDigest: string
}

/** A recorded verdict. */
export interface RecordItem {
  readonly kind: 'record'
  readonly id: string
  readonly factsDigest: string
  /** The verdict as it was answered. */
  readonly body: string
  /** Canonical form of its fact document; 'expired' when retention removed it. */
  readonly document?: string
}

/** A line of an export, not yet parsed. Lines count from 1. */
export interface LineItem {
  readonly kind: 'line'
  readonly line: number
  readonly bytes: Uint8Array
}

/** A line that could not be read. */
export interface BrokenLine {
  readonly kind: 'broken'
  readonly line: number
  readonly detail: string
}

/** A rule that says something else under the candidate; absent on the side that does not have it. */
export interface RuleMove {
  readonly rule: string
  readonly from?: RuleState
  readonly to?: RuleState
  /** Whether it decided that the outcome changed. */
  readonly decisive: boolean
}

/** What became of one item. */
export type ItemResult =
  | {
      readonly kind: 'replayed'
      /** The version that it was judged with. */
      readonly version: string
      readonly from: Verdict['outcome']
      readonly to: Verdict['outcome']
      readonly moves: readonly RuleMove[]
      /** Present when the outcome changed. */
      readonly changed?: ChangedVerdict
    }
  | { readonly kind: 'not_replayed'; readonly reason: NotReplayed['reason']; readonly example: NotReplayed['example'] }
  /** A line of another family, or outside the selection. */
  | { readonly kind: 'skipped' }
  /** A line with which the whole run cannot go on. */
  | { readonly kind: 'refused'; readonly detail: string }

/** Items that follow each other in their source. */
export interface Portion {
  readonly items: readonly ImpactItem[]
  /** How many records were looked through for them, those outside a sample too. */
  readonly found: number
  /** Where the source goes on after them; absent at its end. */
  readonly position?: string
}

/** Where recorded facts come from, always in the same order. */
export interface ImpactSource {
  /** A name of every record, by which a sample is drawn. */
  keys(): AsyncIterable<string>
  /** Those records whose name is to be kept, from the beginning or from a position. */
  portions(keep: (key: string) => boolean, from?: string): AsyncIterable<Portion>
}
