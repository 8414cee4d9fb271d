import type { Command } from 'commander'
import { ImagegateError } from '../errors.ts'
import { matches } from '../schemas.ts'
import type { Context } from './context.ts'
import { exitCodes } from './exit.ts'
import { humanReport } from './human-report.ts'
import { jsonReport } from './json-report.ts'
import { addRecordsOptions, type RecordsOptions, withRecords } from './records.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, formatOf, formatOption, helpTail, type ShowOptions } from './usage.ts'
import { layoutOf } from './verdict-writer.ts'

interface ShowVerdictOptions extends RecordsOptions, ShowOptions {
  readonly verbose?: true
}

const help = helpTail(
  [
    'imagegate verdicts show 0198c0de-0000-7000-8000-000000000000',
    'imagegate verdicts show 0198c0de-0000-7000-8000-000000000000 --format json | sha256sum',
  ],
  ['0  shown, whatever its outcome', '3  could not run: there is no such verdict, or it cannot be read'],
  [
    'JSON that does not go to a terminal is exactly what is stored, without a line feed: its SHA-256 is the',
    "record's digest. On a terminal it is indented, and characters that could act on the terminal are escaped.",
  ],
)

async function show(body: string, options: ShowVerdictOptions, terminal: Terminal): Promise<void> {
  const { stdout } = terminal
  const human = formatOf(options.format, stdout) === 'human'
  if (!human && !stdout.isTerminal) return stdout.write(body)
  const verdict: unknown = JSON.parse(body)
  if (!human) return stdout.write(jsonReport(verdict, stdout))
  if (!matches('verdict', verdict)) throw new ImagegateError('INTERNAL', 'The record is not a verdict.')
  await stdout.write(humanReport(verdict, layoutOf(terminal, options)))
}

/** Adds `imagegate verdicts show`. */
export function addVerdictsShow(verdicts: Command, { terminal, exit }: Context): void {
  const command = verdicts.command('show').description('Shows a recorded verdict.').argument('<id>', 'its id')
  addRecordsOptions(command)
    .option('--verbose', 'list passed and inapplicable rules, too')
    .addOption(formatOption())
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (id: string, options: ShowVerdictOptions) => {
      const body = await withRecords(options, terminal, (records) => records.verdict(id))
      await show(body, options, terminal)
      exit(exitCodes.ready)
    })
}
