/* Generated from schemas/policy-impact.schema.json by npm run types. */

/**
 * What a candidate policy would have answered for facts that were judged before.
 */
export interface PolicyImpact {
  /**
   * Kind and major version.
   */
  schema: 'imagegate.policy-impact/1'
  candidate: ImpactPolicy
  baseline?: ImpactPolicy
  /**
   * Where the recorded facts came from.
   */
  source: 'database' | 'export' | 'server'
  /**
   * What was looked at.
   */
  selection: {
    /**
     * Only this tenant's records.
     */
    tenant?: string
    /**
     * Recorded at or after. RFC 3339, UTC.
     */
    from?: string
    /**
     * Recorded before. RFC 3339, UTC.
     */
    to?: string
    /**
     * A number of records, or a share of them in percent.
     */
    sample?: string
    /**
     * Decides which records a sample holds.
     */
    seed?: number
  }
  /**
   * How many records there were and what became of them: sampled is skipped, replayed and notReplayed together.
   */
  counts: {
    /**
     * Verdicts of the family that fit the selection; of an export, all its lines.
     */
    found: number
    /**
     * Of those found, how many were looked at.
     */
    sampled: number
    /**
     * Lines of an export that are of another family or do not fit the selection.
     */
    skipped: number
    /**
     * Evaluated under the candidate.
     */
    replayed: number
    /**
     * Of those replayed, how many have another outcome under the candidate.
     */
    changed: number
    /**
     * Could not be evaluated under the candidate.
     */
    notReplayed: number
  }
  /**
   * What was allowed to change.
   */
  threshold: {
    /**
     * Greatest number of changed outcomes, or greatest share of those replayed in percent.
     */
    allowed: string
    /**
     * Whether more changed than was allowed.
     */
    exceeded: boolean
  }
  /**
   * Replayed verdicts by the version that they were judged with.
   *
   * @maxItems 100000
   */
  judgedBy: JudgedBy[]
  /**
   * Replayed verdicts by their outcome then and under the candidate; pairs that do not occur are left out.
   *
   * @maxItems 16
   */
  outcomes: OutcomeChange[]
  /**
   * What changed rule by rule, also where no outcome did; those that decided an outcome first.
   *
   * @maxItems 100000
   */
  rules: RuleChange[]
  /**
   * Reasons, and how many records each of them held.
   *
   * @maxItems 6
   */
  notReplayed: NotReplayed[]
  /**
   * Every verdict whose outcome changes, newest first; of an export, in its order.
   *
   * @maxItems 100000000
   */
  changed: ChangedVerdict[]
}
/**
 * A policy version.
 */
export interface ImpactPolicy {
  /**
   * Its family.
   */
  family: 'windows-server' | 'linux' | 'nonstandard-linux' | 'unidentified'
  /**
   * Its version.
   */
  version: string
  /**
   * SHA-256 of the policy file's bytes.
   */
  digest: string
}
/**
 * A version and its verdicts.
 */
export interface JudgedBy {
  /**
   * The version.
   */
  version: string
  /**
   * Number of verdicts.
   */
  count: number
}
/**
 * One outcome then and under the candidate.
 */
export interface OutcomeChange {
  /**
   * As it was recorded.
   */
  from: 'ready' | 'ready_with_warnings' | 'undetermined' | 'not_ready'
  /**
   * Under the candidate.
   */
  to: 'ready' | 'ready_with_warnings' | 'undetermined' | 'not_ready'
  /**
   * Number of verdicts.
   */
  count: number
}
/**
 * One way in which a rule says something else.
 */
export interface RuleChange {
  /**
   * Its id.
   */
  rule: string
  from?: RuleState
  to?: RuleState
  /**
   * How many verdicts it changed in.
   */
  verdicts: number
  /**
   * In how many of them it decided that the outcome changed.
   */
  decisive: number
}
/**
 * What a rule said.
 */
export interface RuleState {
  /**
   * Its result.
   */
  result: 'pass' | 'fail' | 'unknown' | 'not_applicable'
  /**
   * What that did to the outcome.
   */
  effect: 'block' | 'warn' | 'inform' | 'none'
}
/**
 * A reason and how many records it held.
 */
export interface NotReplayed {
  /**
   * facts_expired: retention removed the facts. facts_missing: the record lacks them. facts_invalid: they do not fit today's schema. facts_differ: they are not those that the verdict was judged from. record_unreadable: the verdict is none. line_unreadable: the line is neither a record nor a fact document.
   */
  reason: 'facts_expired' | 'facts_missing' | 'facts_invalid' | 'facts_differ' | 'record_unreadable' | 'line_unreadable'
  /**
   * Number of records.
   */
  count: number
  example: Example
}
/**
 * The first record of its kind.
 */
export interface Example {
  /**
   * Id of the verdict.
   */
  verdict?: string
  /**
   * Line of the export, from 1.
   */
  line?: number
  /**
   * What was wrong.
   */
  detail?: string
}
/**
 * A verdict whose outcome changes.
 */
export interface ChangedVerdict {
  /**
   * Its id; absent for a fact document without a verdict.
   */
  verdict?: string
  /**
   * Line of the export, from 1.
   */
  line?: number
  /**
   * When. RFC 3339, UTC.
   */
  recordedAt?: string
  /**
   * As the facts name it.
   */
  imageName?: string
  /**
   * As the facts have it.
   */
  imageDigest?: string
  /**
   * The version that it was judged with.
   */
  version: string
  /**
   * As it was recorded.
   */
  from: 'ready' | 'ready_with_warnings' | 'undetermined' | 'not_ready'
  /**
   * Under the candidate.
   */
  to: 'ready' | 'ready_with_warnings' | 'undetermined' | 'not_ready'
  /**
   * Ids of the rules that decided the change.
   *
   * @maxItems 512
   *
   * Items: Id of a rule.
   */
  rules: string[]
}
