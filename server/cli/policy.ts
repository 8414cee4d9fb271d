import { Command, CommanderError } from 'commander'
import type { Context } from './context.ts'
import { errorReport } from './error-report.ts'
import { type ExitCode, exitCodes } from './exit.ts'
import { addPolicyBundle } from './policy-bundle.ts'
import { addPolicyDiff } from './policy-diff.ts'
import { addPolicyGate } from './policy-gate.ts'
import type { RunCommand } from './policy-gate-steps.ts'
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

function addCommands(policy: Command, context: Context): void {
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

/** Runs one of the commands as the gate's step, with streams of its own. */
function stepRunner(): RunCommand {
  return async (args, terminal) => {
    let code: ExitCode = exitCodes.ready
    const exit = (given: ExitCode) => {
      code = given
    }
    const policy = new Command('policy')
      .exitOverride()
      .configureOutput({ writeErr: (text) => terminal.stderr.queue(text) })
    addCommands(policy, { terminal, exit })
    try {
      await policy.parseAsync(args, { from: 'user' })
    } catch (error) {
      code = exitCodes.couldNotRun
      if (!(error instanceof CommanderError)) terminal.stderr.queue(errorReport(error))
    }
    await terminal.stderr.flush()
    return code
  }
}

/** Makes a command `imagegate policy`, with its own. */
export function addPolicy(command: Command, context: Context): void {
  command.description('Lints, compares, tests, lists, shows and releases policies.').addHelpText('after', help)
  addCommands(command, context)
  addPolicyGate(command, context, stepRunner())
}
