import type { FolderRule } from './folder.ts'
import { lockedOf } from './locked.ts'

/** A draft. */
export const unreleased: FolderRule = {
  head: {
    code: 'unreleased',
    severity: 'note',
    says: 'The lock does not name a policy yet, so that no service loads it.',
    mend: 'Nothing while it is a draft; then run imagegate policy release.',
  },
  check(folder) {
    if (folder.lock === undefined) return []
    return folder.policies
      .filter((one) => lockedOf(folder, one) === undefined)
      .map(({ source }) => ({ source, place: ['version'], message: 'It is not released: the lock does not name it.' }))
  },
}
