/* Generated from schemas/proof.schema.json by npm run types. */

/**
 * Proves with a public key alone that a verdict stands in the chain under a signed checkpoint.
 */
export interface InclusionProof {
  /**
   * Kind and major version.
   */
  schema: 'imagegate.proof/1'
  entry: Entry
  /**
   * Hashes that lead from the entry's leaf to the checkpoint's root, from below upwards.
   *
   * @maxItems 12
   */
  path: Step[]
  checkpoint: Checkpoint
}
/**
 * An entry of the hash chain: the one that seals the verdict.
 */
export interface Entry {
  /**
   * Whose chain it is.
   */
  tenant: string
  /**
   * Its place in the chain, counted from 1 without gaps.
   */
  sequence: number
  /**
   * Id of the verdict. UUID version 7.
   */
  verdictId: string
  /**
   * SHA-256 of the verdict as it is answered, which is its canonical form.
   */
  recordDigest: string
  /**
   * Link of the entry before; of the first, 64 zeros.
   */
  previousLink: string
  /**
   * SHA-256 of the canonical form of the other members and `"schema": "imagegate.link/1"`.
   */
  link: string
}
/**
 * One level of the tree.
 */
export interface Step {
  /**
   * On which side the hash stands.
   */
  side: 'left' | 'right'
  /**
   * Hash of the subtree beside.
   */
  hash: string
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
