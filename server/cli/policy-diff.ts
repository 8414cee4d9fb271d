import { type Command, Option } from 'commander'
import type { PolicyDiff } from '../documents/policy-diff.ts'
import { ImagegateError } from '../errors.ts'
import { basesOf } from '../policy/diff/bases.ts'
import { raised } from '../policy/diff/bump.ts'
import { defaultLimits } from '../policy/diff/limits.ts'
import { diffPolicies } from '../policy/diff/policy.ts'
import type { ColourChoice } from './colour.ts'
import type { Context } from './context.ts'
import { errorReport } from './error-report.ts'
import { exampleDocuments } from './example-documents.ts'
import { type ExitCode, exitCodes, worse } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { humanDiff } from './policy-diff-human.ts'
import { markdownDiff } from './policy-diff-markdown.ts'
import { readRevision, revisionNotes } from './policy-revision.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, formatOf, helpTail } from './usage.ts'
import { layoutOf } from './verdict-writer.ts'

interface DiffCommandOptions {
  readonly policies?: string
  readonly examples?: string
  readonly format?: 'human' | 'json' | 'markdown'
  readonly color: ColourChoice
}

const help = helpTail(
  [
    'imagegate policy diff linux/1.0.0 linux/1.1.0',
    'imagegate policy diff main:policies/linux/1.1.0.yaml policies/linux/1.1.0.yaml',
    'imagegate policy diff linux/1.0.0 linux/1.1.0 --format markdown > comment.md',
  ],
  [
    '0  no document fares differently, and the version is raised enough for the text',
    '1  something changes, or the version is raised too little',
    '2  some rule is undecided, and nothing else changes',
    '3  could not run: a policy cannot be read or is not valid, or the two are of different families',
  ],
  [
    ...revisionNotes,
    'Rules are compared by what they contribute to the outcome (none, inform, warn, undetermined, not ready) over every valid',
    'document, and not by their text. Stricter needs a major version, looser or new advice a minor one, text a patch.',
    `Beyond ${defaultLimits.cases} cases, ${defaultLimits.combinations} combinations of facts that are compared together or ${defaultLimits.counts} counts of a`,
    'list, a rule is undecided and treated as mixed.',
  ],
)

/** Whether anything but text changes. */
function changesMeaning({ rules, parameters, members }: PolicyDiff): boolean {
  const changed = rules.some(({ change }) => change !== 'text-only' && change !== 'undecided')
  return changed || [...parameters, ...members].some(({ bump }) => bump === 'minor' || bump === 'major')
}

function exitOf(diff: PolicyDiff): ExitCode {
  const undecided = diff.rules.some(({ change }) => change === 'undecided')
  const changed = changesMeaning(diff) || !diff.enough ? exitCodes.notReady : exitCodes.ready
  return worse(changed, undecided ? exitCodes.undetermined : exitCodes.ready)
}

/** The problem of a version that is raised too little; undefined when it is enough. */
export function versionProblem({ before, after, required, enough }: PolicyDiff): ImagegateError | undefined {
  if (enough) return undefined
  const least = raised(before.version, required)
  const detail = `${after.family} goes from ${before.version} to ${after.version}; ${
    required === 'none' ? 'a version never goes down' : `a ${required} change needs at least ${least}`
  }.`
  return new ImagegateError('POLICY_VERSION_TOO_SMALL', detail)
}

async function write(diff: PolicyDiff, options: DiffCommandOptions, terminal: Terminal): Promise<void> {
  const { stdout } = terminal
  if (options.format === 'markdown') return stdout.write(markdownDiff(diff))
  if (formatOf(options.format, stdout) === 'json') return stdout.write(jsonReport(diff, stdout))
  await stdout.write(humanDiff(diff, layoutOf(terminal, { color: options.color })))
}

/** What changes from one revision to another, with the given or shipped examples to make witnesses from. */
export async function diffRevisions(
  first: string,
  second: string,
  options: Pick<DiffCommandOptions, 'policies' | 'examples'>,
  terminal: Terminal,
): Promise<PolicyDiff> {
  const before = { name: first, policy: await readRevision(first, options, terminal) }
  const after = { name: second, policy: await readRevision(second, options, terminal) }
  const { family } = after.policy
  const bases = basesOf(family, await exampleDocuments(family, options.examples))
  return diffPolicies(before, after, { bases })
}

/** Adds `imagegate policy diff`. */
export function addPolicyDiff(policy: Command, { terminal, exit }: Context): void {
  policy
    .command('diff')
    .description('Tells what a change of a policy means, from every valid document and not from the text.')
    .argument('<before>', 'a revision of a policy')
    .argument('<after>', 'another of the same family')
    .option('--policies <folder>', 'folder of the policies (default: the configured one)')
    .option('--examples <folder>', 'fact documents to make witnesses from (default: the shipped examples)')
    .addOption(
      new Option('--format <format>', 'form of the output (default: human on a terminal, json otherwise)').choices([
        'human',
        'json',
        'markdown',
      ]),
    )
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (first: string, second: string, options: DiffCommandOptions) => {
      const diff = await diffRevisions(first, second, options, terminal)
      await write(diff, options, terminal)
      const problem = versionProblem(diff)
      if (problem !== undefined) await terminal.stderr.write(errorReport(problem))
      exit(exitOf(diff))
    })
}
