import type { FolderRule } from './folder.ts'

/** A policy that does not stand where its family and version say. */
export const misplacedFile: FolderRule = {
  head: {
    code: 'misplaced-file',
    severity: 'error',
    says: 'A policy stands at another path than its family and version give.',
    mend: 'Move the file, or correct family and version.',
  },
  check({ policies }) {
    return policies.flatMap(({ source, policy }) => {
      if (policy === undefined || source.path === '') return []
      const expected = `${policy.family}/${policy.version}.yaml`
      if (source.path === expected) return []
      const [family] = source.path.split('/')
      const place = [family === policy.family ? 'version' : 'family']
      return [{ source, place, message: `By its content this file belongs at ${expected}.` }]
    })
  },
}
