import { nearest } from '../nearest.ts'
import type { FolderRule } from './folder.ts'
import { meantMend } from './head.ts'
import { pathOf } from './locked.ts'

/** A case that speaks of a rule that its policy does not have. */
export const testUnknownRule: FolderRule = {
  head: {
    code: 'test-unknown-rule',
    severity: 'error',
    says: 'A case names a rule that the policy does not have.',
    mend: 'Name a rule of the policy.',
  },
  check({ policies, tests }) {
    return tests.flatMap(({ source, test }) => {
      const policy = policies.find((one) => one.source.path === pathOf(test))?.policy
      if (policy === undefined) return []
      const ids = policy.rules.map(({ id }) => id)
      return test.cases.flatMap(({ changes, messages = {} }, index) =>
        Object.entries({ changes, messages }).flatMap(([member, named]) =>
          Object.keys(named)
            .filter((id) => !ids.includes(id))
            .map((id) => {
              const place = ['cases', index, member, id]
              return { source, place, message: `There is no rule ${id}.`, ...meantMend(nearest(id, ids)) }
            }),
        ),
      )
    })
  },
}
