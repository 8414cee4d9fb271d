import type { FolderRule } from './folder.ts'
import { pathOf } from './locked.ts'

/** A released version without its file. */
export const missingRelease: FolderRule = {
  head: {
    code: 'missing-release',
    severity: 'error',
    says: 'The lock names a version whose file is missing.',
    mend: 'Restore the file: verdicts that were given under it are replayed with it.',
  },
  check({ lock, policies }) {
    const paths = new Set(policies.map(({ source }) => source.path))
    return (lock?.lock.policies ?? []).flatMap((locked, index) => {
      if (lock === undefined || paths.has(pathOf(locked))) return []
      return [{ source: lock.source, place: ['policies', index], message: `There is no file ${pathOf(locked)}.` }]
    })
  },
}
