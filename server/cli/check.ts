import { availableParallelism } from 'node:os'
import { type Command, Option } from 'commander'
import { probeEarly } from '../collector/tools/probe-sandbox.ts'
import type { Judge } from './check-judge.ts'
import { checkImages } from './check-run.ts'
import { readAttestations } from './collect-attest.ts'
import { collector } from './collect-image.ts'
import { interruptible } from './collect-interrupt.ts'
import { addCollectOptions, attestNotes, type CollectFlags, warnRoot, wholeNumber } from './collect-options.ts'
import { fileOutput, refuseInputs } from './collect-output.ts'
import type { Context } from './context.ts'
import { safeText } from './escape.ts'
import { type EvaluationFlags, givenOptions } from './evaluate-options.ts'
import { type ExitCode, failLevels } from './exit.ts'
import { formatNotes, type ReportOptions, reportFormatOption } from './report-format.ts'
import { addServerOptions, type ServerOptions, serverPlace } from './server-place.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, helpTail } from './usage.ts'
import { verdictWriter } from './verdict-writer.ts'

interface CheckOptions extends CollectFlags, EvaluationFlags, ReportOptions, ServerOptions {
  readonly output?: string
  readonly jobs: number
  readonly policies?: string
}

const help = helpTail(
  [
    'imagegate check disk.qcow2',
    'imagegate check disk.qcow2 --system-disk 40GiB --output report.html',
    'imagegate check *.qcow2 --format junit --output results.xml --fail-on warn',
    'imagegate check disk.qcow2 --attest build.yaml --attest-password root',
    'imagegate check disk.qcow2 --server http://127.0.0.1:8080',
  ],
  [
    '0  ready, or ready with warnings without --fail-on warn',
    '1  not ready',
    '2  undetermined: facts are missing',
    '3  could not run: an image, an option or a policy could not be read',
    'Several images exit with the worst, in the order 3, 1, 2, 0.',
  ],
  [
    'An image is opened for reading alone and nothing in it is run. imagegate doctor lists the programs needed.',
    'Nothing is recorded without --server. JSON of one image is its verdict; of several, one line an image:',
    '{"file", "verdict" or "problem"}.',
    ...formatNotes,
    ...attestNotes,
  ],
)

const mostJobs = 4

/** Options are checked at once; what judging needs is loaded when it is asked for. */
async function judgeFor({ policies, ...options }: CheckOptions, terminal: Terminal): Promise<() => Promise<Judge>> {
  const given = givenOptions(options)
  const load = () => import('./check-judge.ts')
  const server = serverPlace(options, terminal)
  if (server === undefined) return async () => (await load()).offlineJudge(policies, given, terminal)
  const judge = (await load()).serverJudge(server, given)
  return () => Promise.resolve(judge)
}

async function check(images: readonly string[], options: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const { output } = options
  const [first] = images
  if (first !== undefined) probeEarly(first)
  const judge = await judgeFor(options, terminal)
  if (output !== undefined) await refuseInputs(output, [...images, ...options.attest])
  await warnRoot(terminal)
  const attestations = await readAttestations(options.attest, options.attestPassword, terminal)
  const collect = await collector(options, attestations, terminal)
  const file = output === undefined ? undefined : fileOutput(output)
  const shown = { ...terminal, stdout: file?.output ?? terminal.stdout }
  const writer = verdictWriter(shown, options, images.length > 1, output)
  const exit = await interruptible((signal) =>
    checkImages(images, {
      collect,
      judge,
      writer,
      signal,
      stderr: terminal.stderr,
      brief: file !== undefined,
      ...options,
    }),
  )
  await writer.end()
  if (file === undefined) return exit
  await file.save()
  await terminal.stderr.write(`${safeText(output ?? '')} was written.\n`)
  return exit
}

/** Makes a command `imagegate check`. */
export function addCheck(command: Command, { terminal, exit }: Context): void {
  command
    .description('Reads disk images, judges them against the policies and explains the outcome.')
    .argument('<image...>', 'RAW, QCOW2 or VHD; anything else is named and judged as what it is')
    .addOption(
      new Option('--import-as <type>', 'import as a non-standard system').choices(['others-linux', 'customized-linux']),
    )
    .option('--system-disk <size>', 'system disk that will be asked for: bytes, or as 40G or 40GiB (1024s)')
    .option('--policy-version <version>', 'judge by this version of the policy')
    .option('--as-of <time>', 'judge by the policy in force at this date or instant, UTC (default: now)')
    .addOption(new Option('--policies <folder>', 'judge by the policies of this folder').conflicts('server'))
    .addOption(
      new Option('--fail-on <level>', 'exit with 1 from this outcome on').choices([...failLevels]).default('not-ready'),
    )
    .addOption(
      new Option('--jobs <number>', 'images that are read at the same time; each may take 300 MiB of memory')
        .argParser(wholeNumber)
        .default(Math.min(mostJobs, availableParallelism())),
    )
    .option('--verbose', 'list passed and inapplicable rules, too')
    .addOption(reportFormatOption('default: by the ending of --output, else human on a terminal, json otherwise'))
    .option('--output <file>', 'write the report to this file (default: standard output)')
    .addOption(colourOption())
  addServerOptions(command, 'let this server judge and record')
  addCollectOptions(command)
    .addHelpText('after', help)
    .action(async (images: string[], options: CheckOptions) => exit(await check(images, options, terminal)))
}
