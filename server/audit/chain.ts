import { type KeyObject, sign, verify } from 'node:crypto'
import { canonicalize, sha256 } from '../digest.ts'
import type { Checkpoint } from '../documents/checkpoint.ts'
import type { InclusionProof } from '../documents/proof.ts'
import { keyName } from '../policy/bundle-key.ts'
import { merklePath, merkleRoot, pathSides, rootOfPath } from './merkle.ts'

/** An entry of a tenant's hash chain; docs/audit.md describes how it is made. */
export type ChainEntry = Readonly<InclusionProof['entry']>

/** Where a chain ends: the newest sequence number and its link. */
export type ChainHead = Pick<ChainEntry, 'sequence' | 'link'>

/** Where a chain without entries ends. */
export const emptyHead: ChainHead = { sequence: 0, link: `sha256:${'0'.repeat(64)}` }

/** Greatest number of verdicts under one checkpoint. */
export const maxSegment = 4096

/** The link of an entry, from its other members. */
export function linkOf({ tenant, sequence, verdictId, recordDigest, previousLink }: Omit<ChainEntry, 'link'>): string {
  return sha256(canonicalize({ schema: 'imagegate.link/1', tenant, sequence, verdictId, recordDigest, previousLink }))
}

/** The entry that seals a verdict after a chain's head. */
export function nextEntry(tenant: string, head: ChainHead, verdictId: string, recordDigest: string): ChainEntry {
  const entry = { tenant, sequence: head.sequence + 1, verdictId, recordDigest, previousLink: head.link }
  return { ...entry, link: linkOf(entry) }
}

const hexOf = (digest: string) => digest.slice('sha256:'.length)

const digestOf = (hex: string) => `sha256:${hex}`

/** Root of the Merkle tree over the links of a segment, in the chain's order. Throws RangeError for none. */
export function segmentRoot(links: readonly string[]): string {
  return digestOf(merkleRoot(links.map(hexOf)))
}

function signedBytes(checkpoint: Omit<Checkpoint, 'signature'>): Buffer {
  const { schema, tenant, from, sequence, link, root, at, key } = checkpoint
  return Buffer.from(canonicalize({ schema, tenant, from, sequence, link, root, at, key }))
}

/** What a checkpoint says of a segment. */
export interface Segment {
  readonly tenant: string
  /** Sequence number of the first entry. */
  readonly from: number
  /** Links of its entries in the chain's order; 1 to maxSegment. */
  readonly links: readonly string[]
}

/** Signs a checkpoint over a segment, at a time in RFC 3339, with a private Ed25519 key. Throws RangeError for no or too many links. */
export function signCheckpoint({ tenant, from, links }: Segment, at: string, key: KeyObject): Checkpoint {
  const link = links.at(-1)
  if (link === undefined || links.length > maxSegment) throw new RangeError(`A segment has 1 to ${maxSegment} links.`)
  const statement = {
    schema: 'imagegate.checkpoint/1' as const,
    tenant,
    from,
    sequence: from + links.length - 1,
    link,
    root: segmentRoot(links),
    at,
    key: keyName(key),
  }
  return { ...statement, signature: sign(null, signedBytes(statement), key).toString('base64') }
}

/** What a checkpoint's signature is worth under the public keys that are trusted. */
export type SignatureState = 'valid' | 'invalid' | 'key unknown'

/** Checks the signature of a checkpoint that matches its schema. Several keys are trusted after a rotation. */
export function checkSignature(checkpoint: Checkpoint, keys: readonly KeyObject[]): SignatureState {
  const key = keys.find((one) => keyName(one) === checkpoint.key)
  if (key === undefined) return 'key unknown'
  const signature = Buffer.from(checkpoint.signature, 'base64')
  // Base64 has several texts for the same bytes; only the one that was written is the checkpoint.
  if (signature.toString('base64') !== checkpoint.signature) return 'invalid'
  return verify(null, signedBytes(checkpoint), key, signature) ? 'valid' : 'invalid'
}

/** The proof that the entry at a sequence number stands under a checkpoint, from the links of the checkpoint's segment. */
export function makeProof(entry: ChainEntry, links: readonly string[], checkpoint: Checkpoint): InclusionProof {
  const path = merklePath(links.map(hexOf), entry.sequence - checkpoint.from)
  return {
    schema: 'imagegate.proof/1',
    entry,
    path: path.map(({ side, hash }) => ({ side, hash: digestOf(hash) })),
    checkpoint,
  }
}

/**
 * Checks a proof that matches its schema, offline: undefined when it holds, else what is wrong, in one sentence.
 * With a verdict's text, as it was answered, it also tells whether the proof is about that.
 */
export function faultOfProof(proof: InclusionProof, keys: readonly KeyObject[], verdict?: string): string | undefined {
  const { entry, path, checkpoint } = proof
  if (verdict !== undefined && sha256(verdict) !== entry.recordDigest) {
    return `The verdict has the digest ${sha256(verdict)}; the proof is about ${entry.recordDigest}.`
  }
  if (linkOf(entry) !== entry.link) return 'The link of the entry is not that of its other members.'
  if (entry.tenant !== checkpoint.tenant) return 'Entry and checkpoint are of two tenants.'
  const { from, sequence } = checkpoint
  if (entry.sequence < from || entry.sequence > sequence) {
    return `The checkpoint covers ${from} to ${sequence}; the entry has the sequence number ${entry.sequence}.`
  }
  const sides = pathSides(entry.sequence - from, sequence - from + 1)
  if (sides.length !== path.length || sides.some((side, index) => side !== path[index]?.side)) {
    return "The path is not that of the entry's place."
  }
  const root = rootOfPath(
    hexOf(entry.link),
    path.map(({ side, hash }) => ({ side, hash: hexOf(hash) })),
  )
  if (entry.sequence === sequence && entry.link !== checkpoint.link) return 'The checkpoint ends in another link.'
  if (digestOf(root) !== checkpoint.root) return "The path does not lead to the checkpoint's root."
  const signature = checkSignature(checkpoint, keys)
  if (signature === 'key unknown')
    return `The checkpoint was signed with the key ${checkpoint.key}, which was not given.`
  return signature === 'valid' ? undefined : "The checkpoint's signature is not valid."
}
