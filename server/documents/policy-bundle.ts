/* Generated from schemas/policy-bundle.schema.json by npm run types. */

/**
 * What a bundle of policies holds; its bytes are what is signed.
 */
export interface PolicyBundle {
  /**
   * Kind and major version.
   */
  schema: 'imagegate.policy-bundle/1'
  /**
   * Order of bundles: a service takes none that is lower than the highest it has served.
   */
  sequence: number
  /**
   * Every file of the bundle besides manifest and signature, by path.
   *
   * @minItems 1
   * @maxItems 4098
   */
  files: File[]
}
/**
 * One file.
 */
export interface File {
  /**
   * Path inside the folder of the policies.
   */
  path: string
  /**
   * Its size.
   */
  bytes: number
  /**
   * SHA-256 of its bytes.
   */
  digest: string
}
