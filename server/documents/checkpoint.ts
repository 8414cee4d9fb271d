/* Generated from schemas/checkpoint.schema.json by npm run types. */

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
