import { type Command, Option } from 'commander'
import { ImagegateError } from '../errors.ts'
import { findVersion, inForce, type PolicySet, type ReleasedPolicy } from '../policy/set.ts'
import type { ColourChoice } from './colour.ts'
import type { Context } from './context.ts'
import { safeLines } from './escape.ts'
import { exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { readPolicyFolder } from './policy-folder.ts'
import { policyReport } from './policy-report.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, formatOf, helpTail } from './usage.ts'
import { layoutOf } from './verdict-writer.ts'

interface ShowPolicyOptions {
  readonly policies?: string
  readonly format?: 'human' | 'yaml' | 'json'
  readonly color: ColourChoice
  readonly verbose?: true
}

const help = helpTail(
  [
    'imagegate policy show linux',
    'imagegate policy show linux 1.0.0 --verbose',
    'imagegate policy show linux 1.0.0 --format yaml',
  ],
  ['0  shown', '3  could not run: there is no such policy, or one is not valid'],
  ['Without a version it is the one in force, else the newest.', 'YAML is the file as it stands.'],
)

function find(policies: PolicySet, family: string, version: string | undefined, now: Date): ReleasedPolicy {
  const ofFamily = policies.versions.filter((policy) => policy.family === family)
  const found =
    version === undefined
      ? (ofFamily.find((policy) => inForce(policies, policy.family, now) === policy) ?? ofFamily.at(-1))
      : findVersion(policies, family, version)
  if (found !== undefined) return found
  const known = [...new Set(policies.versions.map((policy) => `${policy.family} ${policy.version}`))].join(', ')
  const asked = version === undefined ? family : `${family} ${version}`
  throw new ImagegateError('POLICY_NOT_FOUND', `There is no policy ${asked}. Known: ${known}.`)
}

async function show(policy: ReleasedPolicy, options: ShowPolicyOptions, terminal: Terminal): Promise<void> {
  const { stdout } = terminal
  const format = options.format === 'yaml' ? 'yaml' : formatOf(options.format, stdout)
  if (format === 'yaml') return stdout.write(stdout.isTerminal ? safeLines(policy.text) : policy.text)
  if (format === 'json') return stdout.write(jsonReport(policy.policy, stdout))
  const layout = layoutOf(terminal, { color: options.color, ...(options.verbose === true ? { verbose: true } : {}) })
  await stdout.write(policyReport(policy, layout))
}

/** Adds `imagegate policy show`. */
export function addPolicyShow(policy: Command, { terminal, exit }: Context): void {
  policy
    .command('show')
    .description('Shows one version of a policy: its parameters and its rules.')
    .argument('<family>', 'windows-server, linux, nonstandard-linux or unidentified')
    .argument('[version]', 'its version')
    .option('--policies <folder>', 'folder of the policies (default: the configured one)')
    .option('--verbose', 'show how each rule reads its source, and how to collect its facts')
    .addOption(
      new Option('--format <format>', 'form of the output (default: human on a terminal, json otherwise)').choices([
        'human',
        'yaml',
        'json',
      ]),
    )
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (family: string, version: string | undefined, options: ShowPolicyOptions) => {
      const { policies } = await readPolicyFolder(options.policies, terminal)
      await show(find(policies, family, version, terminal.now()), options, terminal)
      exit(exitCodes.ready)
    })
}
