import type { Policy } from '../../documents/policy.ts'
import { compareSemver } from '../set.ts'
import type { FolderPolicy, FolderRule } from './folder.ts'

function isWhole(one: FolderPolicy): one is FolderPolicy & { policy: Policy } {
  return one.policy !== undefined
}

/** Versions and dates that put the policies of a family in different orders. */
export const versionOrder: FolderRule = {
  head: {
    code: 'version-order',
    severity: 'error',
    says: 'A version is in force no later than a lower one of its family.',
    mend: 'Give the higher version the later effectiveFrom.',
  },
  check({ policies }) {
    const sorted = policies
      .filter(isWhole)
      .sort(
        (a, b) =>
          a.policy.family.localeCompare(b.policy.family, 'en') || compareSemver(a.policy.version, b.policy.version),
      )
    return sorted.flatMap(({ source, policy }, index) => {
      const before = sorted[index - 1]?.policy
      if (before?.family !== policy.family || Date.parse(before.effectiveFrom) < Date.parse(policy.effectiveFrom))
        return []
      const message = `It is in force from ${policy.effectiveFrom}, ${before.version} before it from ${before.effectiveFrom}.`
      return [{ source, place: ['effectiveFrom'], message }]
    })
  },
}
