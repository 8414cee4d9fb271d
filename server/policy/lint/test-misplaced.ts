import type { FolderRule } from './folder.ts'

/** Cases that stand beside another family's policy. */
export const testMisplaced: FolderRule = {
  head: {
    code: 'test-misplaced',
    severity: 'error',
    says: 'A file of cases stands in the folder of another family.',
    mend: 'Move it to the tests of its family, or correct family.',
  },
  check({ tests }) {
    return tests
      .filter(({ source, test }) => source.path.split('/')[0] !== test.family)
      .map(({ source, test }) => ({
        source,
        place: ['family'],
        message: `Cases of ${test.family} belong in ${test.family}/tests.`,
      }))
  },
}
