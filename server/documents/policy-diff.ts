/* Generated from schemas/policy-diff.schema.json by npm run types. */

/**
 * What a change of a policy means, decided from every valid document and not from the text.
 */
export interface PolicyDiff {
  /**
   * Kind and major version.
   */
  schema: 'imagegate.policy-diff/1'
  before: Side
  after: Side
  /**
   * The part of the version that must be raised: the greatest that any change demands.
   */
  required: 'none' | 'patch' | 'minor' | 'major'
  /**
   * The part of the version that was raised; lower when the version went down.
   */
  given: 'none' | 'patch' | 'minor' | 'major' | 'lower'
  /**
   * Whether the version was raised enough.
   */
  enough: boolean
  /**
   * Rules that differ, in the order of the policies.
   *
   * @maxItems 512
   */
  rules: Rule[]
  /**
   * Parameters that differ.
   *
   * @maxItems 128
   */
  parameters: Parameter[]
  /**
   * Other members that differ.
   *
   * @maxItems 8
   */
  members: PolicyMember[]
}
/**
 * One of the policies.
 */
export interface Side {
  /**
   * As it was given.
   */
  name: string
  /**
   * Its family.
   */
  family: 'windows-server' | 'linux' | 'nonstandard-linux' | 'unidentified'
  /**
   * Its version.
   */
  version: string
  /**
   * SHA-256 of its file.
   */
  digest: string
}
/**
 * One rule that differs.
 */
export interface Rule {
  /**
   * Its id.
   */
  rule: string
  /**
   * stricter: some valid document contributes more and none less; looser: the reverse; mixed: some more, some less; undecided: not decided within the limits, to be treated as mixed; text-only: no valid document contributes anything else.
   */
  change: 'added' | 'removed' | 'stricter' | 'looser' | 'mixed' | 'undecided' | 'text-only'
  /**
   * The part of the version that it demands to be raised.
   */
  bump: 'none' | 'patch' | 'minor' | 'major'
  /**
   * Members of the rule that differ; parameters/NAME when it uses one that differs.
   *
   * @maxItems 64
   *
   * Items: Its name.
   */
  members: string[]
  /**
   * Why it is undecided.
   */
  reason?: string
  stricter?: Witness
  looser?: Witness
}
/**
 * A valid fact document that shows the direction, judged under both policies, with the fewest members changed from the nearest base.
 */
export interface Witness {
  /**
   * The document that it was made from.
   */
  base: string
  /**
   * What differs from the base; empty when the base itself shows it.
   *
   * @maxItems 4096
   */
  changes: Member[]
  /**
   * Options of the evaluation.
   */
  options: {
    /**
     * The type.
     */
    importAs?: 'others-linux' | 'customized-linux'
    /**
     * Requested size. Unit: bytes.
     */
    systemDiskBytes?: number
  }
  /**
   * The fact document, in the shape of facts.schema.json.
   */
  document: {}
  before: Judged
  after: Judged
}
/**
 * A member of the document that differs from the base, or an option below /request.
 */
export interface Member {
  /**
   * Where it stands.
   */
  pointer: string
  /**
   * The base's value; left out when the base lacks it.
   */
  from?: string | number | boolean | unknown[] | {}
  /**
   * The witness document's value; left out when it lacks it.
   */
  to?: string | number | boolean | unknown[] | {}
}
/**
 * What one of the policies says of the witness document.
 */
export interface Judged {
  /**
   * Of the rule; left out when the policy has no such rule.
   */
  result?: 'pass' | 'fail' | 'unknown' | 'not_applicable'
  /**
   * Of the rule to the outcome.
   */
  contribution: 'none' | 'inform' | 'warn' | 'undetermined' | 'not ready'
  /**
   * Of the verdict.
   */
  outcome: 'ready' | 'ready_with_warnings' | 'undetermined' | 'not_ready'
}
/**
 * A parameter that differs. What that means is judged in the rules that use it.
 */
export interface Parameter {
  /**
   * Its name.
   */
  name: string
  /**
   * Its value before; left out when there was none.
   */
  from?: string | number | boolean | unknown[] | {}
  /**
   * Its value after; left out when there is none.
   */
  to?: string | number | boolean | unknown[] | {}
  /**
   * Rules that use it, before or after.
   *
   * @maxItems 256
   *
   * Items: Its id.
   */
  rules: string[]
  /**
   * What it demands by itself: a part of the version when more than rules depend on it, else what a text does.
   */
  bump: 'none' | 'patch' | 'minor' | 'major'
}
/**
 * A member of the policy beside rules and parameters that differs.
 */
export interface PolicyMember {
  /**
   * Its name; order is the order of the rules.
   */
  member: 'effectiveFrom' | 'alternatives' | 'title' | 'order'
  /**
   * Before; left out when there was none.
   */
  from?: string | number | boolean | unknown[] | {}
  /**
   * After; left out when there is none.
   */
  to?: string | number | boolean | unknown[] | {}
  /**
   * The part of the version that it demands to be raised.
   */
  bump: 'none' | 'patch' | 'minor' | 'major'
}
