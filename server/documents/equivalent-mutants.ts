/* Generated from schemas/equivalent-mutants.schema.json by npm run types. */

/**
 * Changes of a family's policies that no case can notice, each with the reason.
 */
export interface EquivalentMutants {
  /**
   * Kind and major version.
   */
  schema: 'imagegate.equivalent-mutants/1'
  /**
   * Its family.
   */
  family: 'windows-server' | 'linux' | 'nonstandard-linux' | 'unidentified'
  /**
   * One entry a version.
   *
   * @maxItems 256
   */
  policies: Equivalents[]
}
/**
 * The equivalent mutants of one version.
 */
export interface Equivalents {
  /**
   * Of the policy.
   */
  version: string
  /**
   * Mutants that are equivalent for the same reason, a rule at a time.
   *
   * @maxItems 1024
   */
  equivalent: Equivalent[]
}
/**
 * Mutants of one rule with one reason.
 */
export interface Equivalent {
  /**
   * Its id; parameters for a parameter of the policy.
   */
  rule: string
  /**
   * Each by its place in the rule and the change, as imagegate policy mutate names it.
   *
   * @minItems 1
   * @maxItems 256
   *
   * Items: One mutant.
   */
  mutants: string[]
  /**
   * Why no document can tell the mutant from the policy.
   */
  reason: string
}
