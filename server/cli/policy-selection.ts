import { ImagegateError } from '../errors.ts'
import type { PolicySet, ReleasedPolicy } from '../policy/set.ts'

/** The policies that names select: all versions of a FAMILY, one FAMILY/VERSION, everything without names. Throws POLICY_NOT_FOUND. */
export function selectPolicies({ versions }: PolicySet, names: readonly string[]): ReleasedPolicy[] {
  const fits = ({ family, version }: ReleasedPolicy, name: string) => name === family || name === `${family}/${version}`
  const unknown = names.find((name) => !versions.some((policy) => fits(policy, name)))
  if (unknown !== undefined) {
    const known = versions.map(({ family, version }) => `${family}/${version}`).join(', ')
    throw new ImagegateError('POLICY_NOT_FOUND', `There is no policy ${unknown}. Known: ${known}.`)
  }
  return versions.filter((policy) => names.length === 0 || names.some((name) => fits(policy, name)))
}
