import type { FolderFound, FolderRule } from './folder.ts'

/** A case whose base document does not exist. */
export const testMissingBase: FolderRule = {
  head: {
    code: 'test-missing-base',
    severity: 'error',
    says: 'Cases name a base document that does not exist.',
    mend: "Name a document by its path from the repository's top.",
  },
  check({ tests, exists }) {
    return tests.flatMap(({ source, test }) => {
      const bases: [string, FolderFound['place']][] = [
        [test.base, ['base']],
        ...test.cases.flatMap(({ base }, index): [string, FolderFound['place']][] =>
          base === undefined ? [] : [[base, ['cases', index, 'base']]],
        ),
      ]
      return bases
        .filter(([base]) => !exists(base))
        .map(([base, place]) => ({ source, place, message: `There is no document ${base}.` }))
    })
  },
}
