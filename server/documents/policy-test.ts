/* Generated from schemas/policy-test.schema.json by npm run types. */

/**
 * Cases for one policy.
 */
export interface PolicyTest {
  /**
   * Kind and major version.
   */
  schema: 'imagegate.policy-test/1'
  /**
   * Its family.
   */
  family: 'windows-server' | 'linux' | 'nonstandard-linux' | 'unidentified'
  /**
   * Of the policy.
   */
  version: string
  /**
   * Base document, relative to the repository's top.
   */
  base: string
  options?: Options
  /**
   * In any order.
   *
   * @minItems 1
   * @maxItems 1024
   */
  cases: Case[]
}
/**
 * As the API has them.
 */
export interface Options {
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
 * A change of the base document, and which rules it changes. Every rule that is not named must keep the base's result.
 */
export interface Case {
  /**
   * A sentence.
   */
  name: string
  /**
   * Another base document than the file's, relative to the repository's top.
   */
  base?: string
  /**
   * JSON Patch (RFC 6902) on the base document.
   *
   * @maxItems 64
   */
  patch: {
    op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
    path: string
    from?: string
    value?: unknown
  }[]
  options?: Options
  /**
   * Rules whose result differs from that of the base, with the new result.
   */
  changes: {
    [k: string]: 'pass' | 'fail' | 'unknown' | 'not_applicable'
  }
  /**
   * The whole verdict's.
   */
  outcome: 'ready' | 'ready_with_warnings' | 'undetermined' | 'not_ready'
  /**
   * Text that a rule's message, steps or command must contain.
   */
  messages?: {
    [k: string]: string
  }
}
