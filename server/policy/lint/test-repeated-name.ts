import type { FolderRule } from './folder.ts'

/** Two cases of a file with one name. */
export const testRepeatedName: FolderRule = {
  head: {
    code: 'test-repeated-name',
    severity: 'warning',
    says: 'Two cases of a file have one name, so that a failure does not tell which.',
    mend: 'Name each case for what it shows.',
  },
  check({ tests }) {
    return tests.flatMap(({ source, test }) => {
      const names = test.cases.map(({ name }) => name)
      return names.flatMap((name, index) =>
        names.indexOf(name) === index
          ? []
          : [{ source, place: ['cases', index, 'name'], message: 'A case before it has this name.' }],
      )
    })
  },
}
