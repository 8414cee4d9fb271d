import type { FolderRule } from './folder.ts'
import { pathOf } from './locked.ts'

/** Cases of a version that does not exist. */
export const testUnknownVersion: FolderRule = {
  head: {
    code: 'test-unknown-version',
    severity: 'error',
    says: 'Cases name a version of the policy that has no file.',
    mend: 'Name a version that stands beside them.',
  },
  check({ policies, tests }) {
    const paths = policies.map(({ source }) => source.path)
    return tests
      .filter(({ test }) => !paths.includes(pathOf(test)))
      .map(({ source, test }) => ({ source, place: ['version'], message: `There is no file ${pathOf(test)}.` }))
  },
}
