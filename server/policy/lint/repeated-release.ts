import type { FolderRule } from './folder.ts'
import { pathOf } from './locked.ts'

/** A version that the lock names twice. */
export const repeatedRelease: FolderRule = {
  head: {
    code: 'repeated-release',
    severity: 'error',
    says: 'The lock names a version twice.',
    mend: 'Keep the entry that was released first.',
  },
  check({ lock }) {
    if (lock === undefined) return []
    const paths = lock.lock.policies.map(pathOf)
    return paths.flatMap((path, index) =>
      paths.indexOf(path) === index
        ? []
        : [{ source: lock.source, place: ['policies', index], message: `${path} stands in the lock before.` }],
    )
  },
}
