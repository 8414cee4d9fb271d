/* Generated from schemas/export.schema.json by npm run types. */

/**
 * What an export of the audit record holds. It lies beside the exported file.
 */
export interface ExportManifest {
  /**
   * Kind and major version.
   */
  schema: 'imagegate.export/1'
  /**
   * Whose record it is; absent where a server answered for its caller's tenant and nothing matched.
   */
  tenant?: string
  /**
   * When the export began: what was recorded later is not in it. RFC 3339, UTC.
   */
  at: string
  /**
   * The filters by name, all of which hold; none for the whole record.
   */
  query: {
    [k: string]: string
  }
  /**
   * Whether each line has the fact document, too.
   */
  facts: boolean
  /**
   * How many verdicts the file holds.
   */
  verdicts: number
  /**
   * How many of them come with their entry in the chain.
   */
  sealed: number
  file: File
  head?: Head
  checkpoint?: Checkpoint
  /**
   * Names the key that signed: SHA-256 of the public key (SubjectPublicKeyInfo, DER).
   */
  key?: string
  /**
   * Ed25519 over the canonical form (RFC 8785) of all the other members, in base64.
   */
  signature?: string
}
/**
 * The exported file.
 */
export interface File {
  /**
   * Its name, without the folder.
   */
  name: string
  /**
   * Its form.
   */
  format: 'ndjson' | 'csv'
  /**
   * Its size.
   */
  bytes: number
  /**
   * SHA-256 of its bytes.
   */
  digest: string
}
/**
 * Where the tenant's chain ended when the export began.
 */
export interface Head {
  /**
   * Its newest entry.
   */
  sequence: number
  /**
   * The link of that entry.
   */
  link: string
}
/**
 * A signed statement of how far a chain went: nobody without the key can make another for verdicts that were changed.
 */
export interface Checkpoint {
  /**
   * Kind and major version.
   */
  schema: 'imagegate.checkpoint/1'
  /**
   * Whose chain it is.
   */
  tenant: string
  /**
   * First sequence number of the segment: one after the last of the checkpoint before, or 1.
   */
  from: number
  /**
   * Last sequence number of the segment, which has at most 4096 verdicts.
   */
  sequence: number
  /**
   * Link of the entry with the last sequence number. It covers every entry before it.
   */
  link: string
  /**
   * Root of the Merkle tree (RFC 6962, SHA-256) over the segment's links, each as its 32 bytes.
   */
  root: string
  /**
   * When it was signed, by the clock of the service. RFC 3339, UTC.
   */
  at: string
  /**
   * Names the key that signed: SHA-256 of the public key (SubjectPublicKeyInfo, DER).
   */
  key: string
  /**
   * Ed25519 over the canonical form (RFC 8785) of all the other members, in base64.
   */
  signature: string
}
