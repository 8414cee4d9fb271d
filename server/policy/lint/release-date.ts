import type { FolderRule } from './folder.ts'
import { pathOf } from './locked.ts'

/** A released version whose date in the lock is not its own. */
export const releaseDate: FolderRule = {
  head: {
    code: 'release-date',
    severity: 'error',
    says: 'The lock has another effectiveFrom for a version than its file.',
    mend: 'Restore the line of the lock; the file is what counts.',
  },
  check({ lock, policies }) {
    return (lock?.lock.policies ?? []).flatMap((locked, index) => {
      const policy = policies.find(({ source }) => source.path === pathOf(locked))?.policy
      if (lock === undefined || policy === undefined || policy.effectiveFrom === locked.effectiveFrom) return []
      const message = `${pathOf(locked)} is in force from ${policy.effectiveFrom}; the lock says ${locked.effectiveFrom}.`
      return [{ source: lock.source, place: ['policies', index, 'effectiveFrom'], message }]
    })
  },
}
