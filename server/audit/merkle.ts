import { hash as digest } from 'node:crypto'

/** One step from a leaf to the root: the hash of the subtree beside, and on which side that stands. */
export interface PathStep {
  readonly side: 'left' | 'right'
  readonly hash: Uint8Array
}

function hash(prefix: 0 | 1, ...parts: readonly Uint8Array[]): Uint8Array {
  // At once: a tree of 4096 leaves is 8191 of them, and a stream of three parts takes twice as long.
  return digest('sha256', Buffer.concat([Uint8Array.of(prefix), ...parts]), 'buffer')
}

/** Where the left subtree ends: the largest power of two below size, which is at least 2. */
function split(size: number): number {
  return 2 ** Math.floor(Math.log2(size - 1))
}

/** Merkle tree hash of RFC 6962, section 2.1, with SHA-256. Throws for no leaves: no tree of ours is empty. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves
  if (only === undefined) throw new RangeError('A Merkle tree has at least one leaf.')
  if (leaves.length === 1) return hash(0, only)
  const middle = split(leaves.length)
  return hash(1, merkleRoot(leaves.slice(0, middle)), merkleRoot(leaves.slice(middle)))
}

/** Audit path of RFC 6962, section 2.1.1, from the leaf at index upwards. */
export function merklePath(leaves: readonly Uint8Array[], index: number): readonly PathStep[] {
  if (leaves.length <= 1) return []
  const middle = split(leaves.length)
  const [left, right] = [leaves.slice(0, middle), leaves.slice(middle)]
  return index < middle
    ? [...merklePath(left, index), { side: 'right', hash: merkleRoot(right) }]
    : [...merklePath(right, index - middle), { side: 'left', hash: merkleRoot(left) }]
}

/** The sides that the path of a leaf has in a tree of that size: they tell the leaf's place. */
export function pathSides(index: number, size: number): readonly PathStep['side'][] {
  if (size <= 1) return []
  const middle = split(size)
  return index < middle ? [...pathSides(index, middle), 'right'] : [...pathSides(index - middle, size - middle), 'left']
}

/** The root to which a path leads from a leaf. */
export function rootOfPath(leaf: Uint8Array, path: readonly PathStep[]): Uint8Array {
  return path.reduce(
    (at, { side, hash: beside }) => (side === 'left' ? hash(1, beside, at) : hash(1, at, beside)),
    hash(0, leaf),
  )
}
