import type { Command } from 'commander'
import type { Replay } from '../evaluation/replay.ts'
import { type Paint, painter } from './colour.ts'
import type { Context } from './context.ts'
import { safeText } from './escape.ts'
import { type ExitCode, exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { addRecordsOptions, type RecordsOptions, withRecords } from './records.ts'
import { colourOption, formatOf, formatOption, helpTail, type ShowOptions } from './usage.ts'

type ReplayOptions = RecordsOptions & ShowOptions

const results: Readonly<Record<Replay['result'], { word: string; style: Parameters<Paint>[0]; exit: ExitCode }>> = {
  same: { word: 'SAME', style: ['bold', 'green'], exit: exitCodes.ready },
  different: { word: 'DIFFERENT', style: ['bold', 'red'], exit: exitCodes.notReady },
  facts_expired: { word: 'FACTS EXPIRED', style: ['bold', 'magenta'], exit: exitCodes.undetermined },
}

const help = helpTail(
  ['imagegate verdicts replay 0198c0de-0000-7000-8000-000000000000'],
  [
    '0  the same',
    '1  different: the first difference is told',
    '2  the facts were removed by retention, so nothing can be compared',
    '3  could not run: there is no such verdict, or it cannot be read',
  ],
  ['Replay evaluates the recorded facts under the recorded policy again and compares every member.'],
)

function explanation({ result, firstDifference, reason }: Replay): string[] {
  if (result === 'same') return ['Evaluated again from its record, it gives the same verdict.']
  if (result === 'facts_expired') return ['The fact document was removed by retention; the verdict remains.']
  const told = [
    reason,
    firstDifference === undefined ? undefined : `First difference: ${firstDifference || 'the whole'}`,
  ]
  return told.filter((text) => text !== undefined)
}

function humanReplay(replay: Replay, paint: Paint): string {
  const { word, style } = results[replay.result]
  const { recorded, current } = replay.evaluator
  const evaluators = recorded === current ? `evaluator ${current}` : `evaluator ${current}, recorded by ${recorded}`
  const lines = [`Verdict ${replay.id}, ${evaluators}`, ...explanation(replay)]
  return `${[paint(style, word), ...lines.map(safeText)].join('\n')}\n`
}

/** Adds `imagegate verdicts replay`. */
export function addVerdictsReplay(verdicts: Command, { terminal, exit }: Context): void {
  const { stdout, colourUnwanted } = terminal
  const command = verdicts
    .command('replay')
    .description('Evaluates a recorded verdict again, from the record alone, and compares.')
    .argument('<id>', 'its id')
  addRecordsOptions(command)
    .addOption(formatOption())
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (id: string, options: ReplayOptions) => {
      const replay = await withRecords(options, terminal, (records) => records.replay(id))
      const human = formatOf(options.format, stdout) === 'human'
      const paint = painter(options.color, stdout, colourUnwanted)
      await stdout.write(human ? humanReplay(replay, paint) : jsonReport(replay, stdout))
      exit(results[replay.result].exit)
    })
}
