import { type Command, InvalidArgumentError, Option } from 'commander'
import { readEquivalents } from '../authoring/equivalents.ts'
import { failingCases, type MutationReport, mutatePolicy } from '../authoring/mutate-policy.ts'
import { ImagegateError } from '../errors.ts'
import { progressOn } from './collect-progress.ts'
import type { Context } from './context.ts'
import { exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { choosePolicies } from './policy-cases.ts'
import { mutationReport } from './policy-mutate-human.ts'
import { mutationJunit } from './policy-mutate-junit.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, type Format, formatOf, helpTail, type ShowOptions } from './usage.ts'
import { layoutOf } from './verdict-writer.ts'

interface MutateOptions extends Omit<ShowOptions, 'format'> {
  readonly format?: Format | 'junit'
  readonly policies?: string
  readonly suggestions: number
}

const help = helpTail(
  ['imagegate policy mutate', 'imagegate policy mutate linux/1.1.0', 'imagegate policy mutate linux --suggestions 50'],
  [
    '0  every mutant is killed by a case, or listed as equivalent',
    '1  a mutant survives, or an entry of the list is stale: its mutant is killed, or is none any more',
    '3  could not run: a policy or a case is not valid, or a case does not hold',
  ],
  [
    'A mutant is the policy with one thing changed: an operator, a bound shifted by one, a set with a value more or less,',
    'a condition left out, all and any swapped, the applicability or a case left out, an effect. It is killed when a case',
    'beside the policy does not hold for it. For the first survivors the case is shown that would kill them.',
    'Mutants that no document tells from the policy are listed in FAMILY/tests/equivalent-mutants.yaml with a reason;',
    'schemas/equivalent-mutants.schema.json describes it.',
  ],
)

function count(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is a number from 0 to 9999.')
}

/** Progress is shown about so often, in mutants. */
const every = 25

async function reportsOf(
  names: readonly string[],
  options: MutateOptions,
  terminal: Terminal,
): Promise<MutationReport[]> {
  const { folder, selected, cases } = await choosePolicies(names, options.policies, terminal)
  const failing = selected.flatMap((policy) => failingCases(policy, cases))
  if (failing.length > 0) {
    const problems = failing.map((message) => ({ message }))
    throw new ImagegateError('POLICY_CASES_FAIL', 'Mutants can only be judged by cases that hold for the policy.', {
      problems,
    })
  }
  const progress = progressOn(terminal.stderr)
  const reports: MutationReport[] = []
  for (const policy of selected) {
    const show = (done: number, all: number, survivors: number) => {
      if (done % every !== 0 && done !== all) return
      const searching = done === all && survivors > 0 ? ', looking for cases that kill them' : ''
      progress.show(`${policy.family} ${policy.version}: ${done} of ${all} mutants, ${survivors} survive${searching}`)
    }
    const listed = await readEquivalents(folder, policy)
    reports.push(mutatePolicy(policy, cases, listed, { suggestions: options.suggestions, progress: show }))
  }
  progress.clear()
  return reports
}

function jsonOf({ policy, survivors, stale, ...counts }: MutationReport) {
  const { family, version, digest } = policy
  return {
    family,
    version,
    digest,
    ...counts,
    survivors: survivors.map(({ mutant: { rule, name }, line, suggestion }) => ({
      rule,
      mutant: name,
      line,
      ...(suggestion === undefined ? {} : { search: suggestion.status }),
      ...(suggestion?.status === 'found' ? { case: suggestion.suggested } : {}),
    })),
    stale: stale.map(({ equivalent: { file, line, rule, name }, why, by }) => ({
      file,
      line,
      rule,
      mutant: name,
      why,
      ...(by === undefined ? {} : { by: { file: by.file, line: by.line, name: by.one.name } }),
    })),
  }
}

function written(reports: readonly MutationReport[], options: MutateOptions, terminal: Terminal): string {
  const format = options.format === 'junit' ? 'junit' : formatOf(options.format, terminal.stdout)
  if (format === 'junit') return mutationJunit(reports)
  if (format === 'json') return jsonReport({ policies: reports.map(jsonOf) }, terminal.stdout)
  const layout = layoutOf(terminal, options)
  return reports.map((report) => mutationReport(report, layout)).join('')
}

/** Adds `imagegate policy mutate`. */
export function addPolicyMutate(policy: Command, { terminal, exit }: Context): void {
  policy
    .command('mutate')
    .description('Changes the policies in every small way, and tells which changes no case notices.')
    .argument('[policies...]', 'FAMILY or FAMILY/VERSION (default: every version)')
    .option('--policies <folder>', 'folder of the policies (default: the configured one)')
    .option('--suggestions <count>', 'look for a case that kills it for so many survivors of each policy', count, 10)
    .addOption(
      new Option('--format <format>', 'form of the report (default: human on a terminal, json otherwise)').choices([
        'human',
        'json',
        'junit',
      ]),
    )
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (names: string[], options: MutateOptions) => {
      const reports = await reportsOf(names, options, terminal)
      await terminal.stdout.write(written(reports, options, terminal))
      const clean = reports.every(({ survivors, stale }) => survivors.length + stale.length === 0)
      exit(clean ? exitCodes.ready : exitCodes.notReady)
    })
}
