import { canonicalize, sha256 } from '../digest.ts'
import type { Policy } from '../documents/policy.ts'

/** A policy version as its file has it. */
export interface ReleasedPolicy {
  readonly family: Policy['family']
  readonly version: string
  /** SHA-256 of the file's bytes. */
  readonly digest: string
  /** RFC 3339, UTC. */
  readonly effectiveFrom: string
  /** The file's text. */
  readonly text: string
  /** The text parsed, when it is first asked for. Throws POLICY_INVALID. */
  readonly policy: Policy
  /** Why and when it was withdrawn; such a version is never selected. */
  readonly withdrawn?: { readonly at: string; readonly reason: string }
}

/** All policies that a process knows, by family and version, oldest first. */
export interface PolicySet {
  readonly versions: readonly ReleasedPolicy[]
}

/** What tells one signed bundle of policies from another. */
export interface BundleName {
  readonly sequence: number
  /** SHA-256 of the manifest's bytes, and so of all that the bundle holds. */
  readonly digest: string
  /** Name of the key that signed it. */
  readonly signedBy: string
}

/** Released policies, the bundle that they came in, and the candidate. */
export interface LoadedPolicies {
  readonly set: PolicySet
  readonly bundle?: BundleName
  /** A policy that is tried in shadow beside the one in force; it need not be released. */
  readonly candidate?: ReleasedPolicy
}

/** Order of two semantic versions of digits alone. */
export function compareSemver(left: string, right: string): number {
  const a = left.split('.').map(Number)
  const b = right.split('.').map(Number)
  for (const index of [0, 1, 2]) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** One version of a family, withdrawn or not. */
export function findVersion(set: PolicySet, family: string, version: string): ReleasedPolicy | undefined {
  return set.versions.find((policy) => policy.family === family && policy.version === version)
}

/** The version of a family that is in force at an instant: the newest that has begun and is not withdrawn. */
export function inForce(set: PolicySet, family: string, at: Date): ReleasedPolicy | undefined {
  return set.versions.findLast(
    (policy) =>
      policy.family === family && policy.withdrawn === undefined && Date.parse(policy.effectiveFrom) <= at.getTime(),
  )
}

/** SHA-256 over all that tells two sets apart: versions, bodies, dates and withdrawals. */
export function digestOfSet({ versions }: PolicySet): string {
  const told = versions.map(({ family, version, digest, effectiveFrom, withdrawn }) => {
    return { family, version, digest, effectiveFrom, ...(withdrawn === undefined ? {} : { withdrawn }) }
  })
  return sha256(canonicalize(told))
}
