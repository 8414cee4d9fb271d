/* Generated from schemas/verification.schema.json by npm run types. */

/**
 * What imagegate audit verify found.
 */
export interface Verification {
  /**
   * Kind and major version.
   */
  schema: 'imagegate.verification/1'
  /**
   * What was verified.
   */
  source: 'database' | 'export' | 'proof'
  /**
   * Form of the exported file; absent for what is no export. Of csv the size, the digest and the signature of the manifest are compared, and no row by itself.
   */
  format?: 'ndjson' | 'csv'
  /**
   * When. RFC 3339, UTC.
   */
  at: string
  /**
   * undecided: nothing differs, but no checkpoint, manifest or proof signed with a given key vouches for it.
   */
  result: 'intact' | 'tampered' | 'undecided'
  /**
   * The public keys that were trusted: SHA-256 of each (SubjectPublicKeyInfo, DER).
   *
   * @minItems 1
   * @maxItems 64
   */
  keys: string[]
  /**
   * What was checked, by tenant.
   *
   * @maxItems 100000
   */
  tenants: Tenant[]
  /**
   * Problems by kind.
   */
  counts: {
    /**
     * Problems of the kind changed.
     */
    changed?: number
    /**
     * Problems of the kind removed.
     */
    removed?: number
    /**
     * Problems of the kind added.
     */
    added?: number
    /**
     * Problems of the kind reordered.
     */
    reordered?: number
  }
  /**
   * How many problems there are in all.
   */
  total: number
  /**
   * The first hundred by place; the first of them is the first record that is not as it was.
   *
   * @maxItems 100
   */
  problems: Problem[]
}
/**
 * What was checked of one tenant.
 */
export interface Tenant {
  /**
   * Its name.
   */
  tenant: string
  /**
   * Entries of the chain that were read.
   */
  entries: number
  /**
   * Link of the last entry; absent where there is none.
   */
  head?: string
  /**
   * Verdicts that were read.
   */
  verdicts: number
  /**
   * Verdicts that wait for their entry in the chain.
   */
  unsealed: number
  outside?: Mark
  signed?: Mark
  /**
   * Entries after the last checkpoint that lies outside the database, and verdicts that wait.
   */
  notCovered: number
  /**
   * No entry that is not covered was sealed longer ago; absent where no checkpoint lies outside.
   */
  notCoveredSeconds?: number
  /**
   * How many belong to it.
   */
  problems: number
}
/**
 * The newest signed checkpoint that agrees with the chain.
 */
export interface Mark {
  /**
   * Last place that it covers.
   */
  sequence: number
  /**
   * When it was signed. RFC 3339, UTC.
   */
  at: string
}
/**
 * One thing that is not as it was recorded.
 */
export interface Problem {
  /**
   * What became of the record.
   */
  kind: 'changed' | 'removed' | 'added' | 'reordered'
  /**
   * The table, or what was given beside the database: 'outside checkpoint', 'export', 'manifest' or 'proof'.
   */
  where: string
  /**
   * Whose record it is; absent for what belongs to none.
   */
  tenant?: string
  /**
   * Place in the chain, the first where it is a segment; absent for what is in no chain.
   */
  sequence?: number
  /**
   * Last place of a segment of which only the whole is known to differ.
   */
  through?: number
  /**
   * Id of the verdict, where one is known.
   */
  verdict?: string
  /**
   * Columns or members that differ.
   *
   * @maxItems 64
   */
  differs: string[]
  /**
   * What was found and what was expected.
   */
  message: string
}
