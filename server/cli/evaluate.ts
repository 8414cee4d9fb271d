import { type Command, Option } from 'commander'
import { ImagegateError } from '../errors.ts'
import { judge } from '../evaluation/judge.ts'
import { parseFacts } from '../facts/parse.ts'
import { loadPolicies } from '../policy/load.ts'
import { loadSource, policySource } from '../policy/load-source.ts'
import type { PolicySet } from '../policy/set.ts'
import type { Context } from './context.ts'
import { type EvaluationFlags, givenOptions } from './evaluate-options.ts'
import { type ExitCode, exitCodeOf, exitCodes, failLevels, worse } from './exit.ts'
import { isNdjson, readInputs } from './inputs.ts'
import { formatNotes, type ReportOptions, reportFormatOption } from './report-format.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, helpTail, UsageError } from './usage.ts'
import { verdictWriter } from './verdict-writer.ts'

interface EvaluateOptions extends EvaluationFlags, ReportOptions {
  readonly ndjson?: true
  readonly policies?: string
}

const help = helpTail(
  [
    'imagegate evaluate facts.json',
    'imagegate evaluate --system-disk 40GiB --format json facts.json | jq .outcome',
    'imagegate evaluate --ndjson - < fleet.ndjson',
    'imagegate evaluate --format html facts.json > report.html',
    'imagegate evaluate --as-of 2021-01-01 --policies ./policies facts.json',
  ],
  [
    '0  ready, or ready with warnings without --fail-on warn',
    '1  not ready',
    '2  undetermined: facts are missing',
    '3  could not run: a file, a document, an option or a policy is not valid',
    'Several documents exit with the worst, in the order 3, 1, 2, 0.',
  ],
  [
    'Nothing is recorded and no database is used.',
    'JSON of one document is its verdict. JSON of several files, or of NDJSON, is one line a document:',
    '{"file", "line" (of NDJSON), "verdict" or "problem"}. Problems stand on standard error, too.',
    ...formatNotes,
    'Without --policies each policy must stand unchanged in the lock; a folder given with it need not.',
  ],
)

function filesOf(given: readonly string[], terminal: Terminal): readonly string[] {
  if (given.filter((file) => file === '-').length > 1) throw new UsageError('Standard input can be read only once.')
  if (given.length > 0) return given
  if (terminal.stdin.isTTY === true) throw new UsageError('Name a file of facts, or pipe a document in.')
  return ['-']
}

async function loadFor({ policies }: EvaluateOptions, terminal: Terminal): Promise<PolicySet> {
  if (policies !== undefined) return loadPolicies(policies, { released: false })
  return (await loadSource(policySource(terminal.config()))).set
}

async function evaluate(given: readonly string[], options: EvaluateOptions, terminal: Terminal): Promise<ExitCode> {
  const asked = givenOptions(options)
  const files = filesOf(given, terminal)
  const ndjson = options.ndjson === true
  const policies = await loadFor(options, terminal)
  const several = files.length > 1 || files.some((file) => isNdjson(file, ndjson))
  const writer = verdictWriter(terminal, options, several)
  let exit: ExitCode = exitCodes.ready
  for await (const { content, ...place } of readInputs(files, ndjson, terminal)) {
    try {
      if (content instanceof ImagegateError) throw content
      const { verdict } = judge(policies, parseFacts(content), asked, terminal.now())
      exit = worse(exit, exitCodeOf(verdict.outcome, options.failOn))
      await writer.verdict(place, verdict)
    } catch (error) {
      if (!(error instanceof ImagegateError)) throw error
      exit = exitCodes.couldNotRun
      await writer.problem(place, error)
    }
    if (terminal.stdout.closed) break
  }
  await writer.end()
  return exit
}

/** Makes a command `imagegate evaluate`. */
export function addEvaluate(command: Command, { terminal, exit }: Context): void {
  command
    .description('Judges documents of facts against the policies and explains the outcome. Records nothing.')
    .argument('[file...]', 'documents of facts; - or none: standard input; *.ndjson: one document a line')
    .option('--ndjson', 'every input has one document a line')
    .addOption(
      new Option('--import-as <type>', 'import as a non-standard system').choices(['others-linux', 'customized-linux']),
    )
    .option('--system-disk <size>', 'system disk that will be asked for: bytes, or as 40G or 40GiB (1024s)')
    .option('--policy-version <version>', 'judge by this version of the policy')
    .option('--as-of <time>', 'judge by the policy in force at this date or instant, UTC (default: now)')
    .option('--policies <folder>', 'judge by the policies of this folder')
    .addOption(
      new Option('--fail-on <level>', 'exit with 1 from this outcome on').choices([...failLevels]).default('not-ready'),
    )
    .option('--verbose', 'list passed and inapplicable rules, too')
    .addOption(reportFormatOption('default: human on a terminal, json otherwise'))
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (files: string[], options: EvaluateOptions) => exit(await evaluate(files, options, terminal)))
}
