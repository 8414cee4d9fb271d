import type { Command } from 'commander'
import type { Context } from './context.ts'
import { addPolicyBundle } from './policy-bundle.ts'
import { addPolicyDiff } from './policy-diff.ts'
import { addPolicyImpact } from './policy-impact.ts'
import { addPolicyLint } from './policy-lint.ts'
import { addPolicyList } from './policy-list.ts'
import { addPolicyMutate } from './policy-mutate.ts'
import { addPolicyNew } from './policy-new.ts'
import { addPolicyRelease } from './policy-release.ts'
import { addPolicyShow } from './policy-show.ts'
import { addPolicyTest } from './policy-test.ts'
import { helpTail } from './usage.ts'

const help = helpTail(
  [
    'imagegate policy list',
    'imagegate policy show linux',
    'imagegate policy new linux --minor',
    'imagegate policy diff linux/1.0.0 linux/1.1.0',
    'imagegate policy lint',
    'imagegate policy release linux 1.1.0',
  ],
  ['0  done', '1  a policy is not valid, or was changed after its release', '3  could not run'],
)

/** Adds `imagegate policy` and its commands. */
export function addPolicy(program: Command, context: Context): void {
  const policy = program
    .command('policy')
    .summary('lint, compare, test, list, show and release policies')
    .description('Lints, compares, tests, lists, shows and releases policies.')
    .addHelpText('after', help)
  addPolicyLint(policy, context)
  addPolicyList(policy, context)
  addPolicyShow(policy, context)
  addPolicyNew(policy, context)
  addPolicyDiff(policy, context)
  addPolicyRelease(policy, context)
  addPolicyImpact(policy, context)
  addPolicyBundle(policy, context)
  addPolicyTest(policy, context)
  addPolicyMutate(policy, context)
}
