/* Generated from schemas/policy-lock.schema.json by npm run types. */

/**
 * The released policy versions and the SHA-256 of each file. A released file never changes.
 */
export interface PolicyLock {
  /**
   * Kind and major version.
   */
  schema: 'imagegate.policy-lock/1'
  /**
   * Every released version.
   *
   * @maxItems 4096
   */
  policies: Policy[]
}
/**
 * One version.
 */
export interface Policy {
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
  /**
   * Instant from which the file says that it is in force. RFC 3339, UTC.
   */
  effectiveFrom: string
  /**
   * Set when the version must not be selected any more; it stays replayable.
   */
  withdrawn?: {
    /**
     * When. RFC 3339, UTC.
     */
    at: string
    /**
     * Why.
     */
    reason: string
  }
}
