import type { PolicyDiff } from '../../documents/policy-diff.ts'
import { compareSemver } from '../set.ts'

/** A part of a version that is raised. */
export type Bump = PolicyDiff['required']

const order: readonly Bump[] = ['none', 'patch', 'minor', 'major']

/** The greatest of some bumps. */
export function greatest(bumps: readonly Bump[]): Bump {
  return bumps.reduce((best, bump) => (order.indexOf(bump) > order.indexOf(best) ? bump : best), 'none')
}

/** The part that differs first between two versions; lower when the second is not above the first. */
export function givenBump(before: string, after: string): PolicyDiff['given'] {
  const sign = compareSemver(before, after)
  if (sign === 0) return 'none'
  if (sign > 0) return 'lower'
  const [a, b] = [before.split('.'), after.split('.')]
  return a[0] !== b[0] ? 'major' : a[1] !== b[1] ? 'minor' : 'patch'
}

/** Whether a version was raised enough. */
export function isEnough(given: PolicyDiff['given'], required: Bump): boolean {
  return given !== 'lower' && order.indexOf(given) >= order.indexOf(required)
}

/** The least version above another that raises a part. */
export function raised(version: string, bump: Bump): string {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  if (bump === 'major') return `${major + 1}.0.0`
  if (bump === 'minor') return `${major}.${minor + 1}.0`
  return bump === 'patch' ? `${major}.${minor}.${patch + 1}` : version
}
