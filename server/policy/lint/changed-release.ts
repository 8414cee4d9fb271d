import { sha256 } from '../../digest.ts'
import type { FolderRule } from './folder.ts'
import { lockedOf } from './locked.ts'

/** A released version whose file is not what was released. */
export const changedRelease: FolderRule = {
  head: {
    code: 'changed-release',
    severity: 'error',
    says: 'The file of a released version has changed since.',
    mend: 'Restore the file, and make a new version for the change.',
  },
  check(folder) {
    return folder.policies.flatMap((one) => {
      const locked = lockedOf(folder, one)
      const digest = sha256(one.source.text)
      if (locked === undefined || locked.digest === digest) return []
      const message = `It was released as ${locked.digest}; its digest is now ${digest}.`
      return [{ source: one.source, place: ['version'], message }]
    })
  },
}
