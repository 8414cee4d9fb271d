import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type PolicyReport, percentOf, testPolicy } from '../authoring/test-policy.ts'
import { lookAtFiles, watchFiles } from '../policy/load-watch.ts'
import { interruptible } from './collect-interrupt.ts'
import type { Context } from './context.ts'
import { errorReport } from './error-report.ts'
import { type ExitCode, exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { choosePolicies, policyFolderPath } from './policy-cases.ts'
import { testReport } from './policy-test-human.ts'
import { testJunit } from './policy-test-junit.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, type Format, formatOf, helpTail, type ShowOptions } from './usage.ts'
import { layoutOf } from './verdict-writer.ts'

interface TestOptions extends Omit<ShowOptions, 'format'> {
  readonly format?: Format | 'junit'
  readonly policies?: string
  readonly minCoverage: number
  readonly watch?: true
  readonly verbose?: true
}

const help = helpTail(
  [
    'imagegate policy test',
    'imagegate policy test linux/1.1.0 --min-coverage 100',
    'imagegate policy test linux --watch',
    'imagegate policy test --format junit > policies.xml',
  ],
  [
    '0  every case holds, and coverage is at least what --min-coverage asks for',
    '1  a case does not hold, cannot be run, or coverage is too low',
    '3  could not run: a policy or a file of cases is not valid, or cannot be read',
  ],
  [
    'Cases stand in FAMILY/tests/*.yaml beside the policies; schemas/policy-test.schema.json describes them. The path',
    'of a base document is relative to the folder above the policies.',
    'Covered are the results of every rule, and every condition as true, false and unknown in the document of some case.',
    'What no document of the family can bring about is left out of the count; --verbose lists it.',
    'Whether a case would notice a change of a condition is what imagegate policy mutate tells.',
  ],
)

function percent(text: string): number {
  const value = Number(text)
  if (/^\d{1,3}(\.\d{1,2})?$/.test(text) && value <= 100) return value
  throw new InvalidArgumentError('It is a percentage from 0 to 100.')
}

async function reportsOf(names: readonly string[], options: TestOptions, terminal: Terminal): Promise<PolicyReport[]> {
  const { selected, cases } = await choosePolicies(names, options.policies, terminal)
  return selected.map((policy) => testPolicy(policy, cases))
}

function holds({ ran, coverage }: PolicyReport, minimum: number): boolean {
  return percentOf(coverage) >= minimum && ran.every(({ differences }) => differences.length === 0)
}

function jsonOf({ policy, ran, coverage }: PolicyReport) {
  const failed = ran.filter(({ differences }) => differences.length > 0)
  return {
    family: policy.family,
    version: policy.version,
    digest: policy.digest,
    cases: ran.length,
    failed: failed.map(({ case: { file, line, one }, differences }) => ({ file, line, name: one.name, differences })),
    coverage: { percent: percentOf(coverage), ...coverage },
  }
}

function written(reports: readonly PolicyReport[], options: TestOptions, terminal: Terminal): string {
  const format = options.format === 'junit' ? 'junit' : formatOf(options.format, terminal.stdout)
  if (format === 'junit') return testJunit(reports, options.minCoverage)
  if (format === 'json') return jsonReport({ policies: reports.map(jsonOf) }, terminal.stdout)
  const layout = layoutOf(terminal, { color: options.color, verbose: options.verbose === true })
  const low = reports.some(({ coverage }) => percentOf(coverage) < options.minCoverage)
  const texts = reports.map((report) => testReport(report, layout)).join('')
  return low ? `${texts}${layout.paint('red', `Coverage is below ${options.minCoverage} %.`)}\n` : texts
}

async function once(names: readonly string[], options: TestOptions, terminal: Terminal): Promise<ExitCode> {
  const reports = await reportsOf(names, options, terminal)
  await terminal.stdout.write(written(reports, options, terminal))
  return reports.every((report) => holds(report, options.minCoverage)) ? exitCodes.ready : exitCodes.notReady
}

/** Everything that a change of may change the result: policies, cases, and the examples that cases are changes of. */
async function watchedBy(options: TestOptions, terminal: Terminal): Promise<string[]> {
  const folder = policyFolderPath(options.policies, terminal)
  const families = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory())
  return [folder, ...families.map(({ name }) => join(folder, name, 'tests')), join(dirname(folder), 'examples')]
}

/** Runs again after every change until the process is told to stop; ends as the last run ended. */
async function again(names: readonly string[], options: TestOptions, terminal: Terminal): Promise<ExitCode> {
  const { stderr } = terminal
  let code: ExitCode = exitCodes.couldNotRun
  const run = async () => {
    try {
      code = await once(names, options, terminal)
    } catch (error) {
      code = exitCodes.couldNotRun
      await stderr.write(errorReport(error))
    }
    await stderr.write('imagegate: waiting for a change; Ctrl-C ends.\n')
  }
  const watched = await watchedBy(options, terminal)
  const since = await lookAtFiles(watched)
  await interruptible(async (signal) => {
    // Waiting for a change keeps no process alive, and neither does waiting for a signal.
    const alive = setInterval(() => undefined, 60_000)
    await run()
    await watchFiles(watched, since, run, signal)
    clearInterval(alive)
  })
  return code
}

/** Adds `imagegate policy test`. */
export function addPolicyTest(policy: Command, { terminal, exit }: Context): void {
  policy
    .command('test')
    .description('Runs the cases beside the policies and measures what they cover.')
    .argument('[policies...]', 'FAMILY or FAMILY/VERSION (default: every version)')
    .option('--policies <folder>', 'folder of the policies (default: the configured one)')
    .option('--min-coverage <percent>', 'coverage below this is a problem', percent, 0)
    .option('--watch', 'run again whenever a policy, a case or an example changes')
    .option('--verbose', 'list what no document can bring about, too')
    .addOption(
      new Option('--format <format>', 'form of the report (default: human on a terminal, json otherwise)').choices([
        'human',
        'json',
        'junit',
      ]),
    )
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (names: string[], options: TestOptions) => {
      exit(await (options.watch === true ? again : once)(names, options, terminal))
    })
}
