import type { Command } from 'commander'
import { inForce, type PolicySet, type ReleasedPolicy } from '../policy/set.ts'
import { painter } from './colour.ts'
import type { Context } from './context.ts'
import { exitCodes } from './exit.ts'
import { jsonLine } from './json-report.ts'
import { type PolicyFolder, readPolicyFolder } from './policy-folder.ts'
import { table } from './table.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, formatOf, formatOption, helpTail, type ShowOptions } from './usage.ts'

interface ListOptions extends ShowOptions {
  readonly policies?: string
}

const help = helpTail(
  ['imagegate policy list', 'imagegate policy list --format json | jq -r .digest'],
  ['0  listed', '3  could not run: a policy is not valid, or a file cannot be read'],
  ['JSON is one line a version.', 'lock: released, or changed after its release, or not released yet.'],
)

function stateOf(policies: PolicySet, policy: ReleasedPolicy, now: Date): string {
  if (policy.withdrawn !== undefined) return 'withdrawn'
  if (Date.parse(policy.effectiveFrom) > now.getTime()) return 'not yet'
  return inForce(policies, policy.family, now) === policy ? 'in force' : 'superseded'
}

function lockOf({ lock }: PolicyFolder, { family, version, digest }: ReleasedPolicy): string {
  const locked = lock.policies.find((one) => one.family === family && one.version === version)
  if (locked === undefined) return 'not released'
  return locked.digest === digest ? 'released' : 'changed'
}

function withdrawnText({ withdrawn }: ReleasedPolicy): string {
  return withdrawn === undefined ? '' : `${withdrawn.at}: ${withdrawn.reason}`
}

async function list(options: ListOptions, terminal: Terminal): Promise<void> {
  const { stdout, colourUnwanted } = terminal
  const folder = await readPolicyFolder(options.policies, terminal)
  const rows = folder.policies.versions.map((policy) => ({
    policy,
    state: stateOf(folder.policies, policy, terminal.now()),
    lock: lockOf(folder, policy),
  }))
  if (formatOf(options.format, stdout) === 'human') {
    const heading = ['FAMILY', 'VERSION', 'IN FORCE FROM', 'STATE', 'LOCK', 'DIGEST', 'WITHDRAWN']
    const cells = rows.map(({ policy, state, lock }) => {
      const { family, version, effectiveFrom, digest } = policy
      return [family, version, effectiveFrom, state, lock, digest, withdrawnText(policy)]
    })
    return stdout.write(table(heading, cells, painter(options.color, stdout, colourUnwanted)))
  }
  for (const { policy, state, lock } of rows) {
    const { family, version, effectiveFrom, digest, withdrawn } = policy
    const { title } = policy.policy
    await stdout.write(jsonLine({ family, version, effectiveFrom, title, digest, state, lock, withdrawn }))
  }
}

/** Adds `imagegate policy list`. */
export function addPolicyList(policy: Command, { terminal, exit }: Context): void {
  policy
    .command('list')
    .description('Lists every version of every policy.')
    .option('--policies <folder>', 'folder of the policies (default: the configured one)')
    .addOption(formatOption())
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (options: ListOptions) => {
      await list(options, terminal)
      exit(exitCodes.ready)
    })
}
