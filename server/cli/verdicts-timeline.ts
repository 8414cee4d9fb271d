import { type Command, Option } from 'commander'
import type { VerdictFilter } from '../audit/store.ts'
import type { TimelineEntry } from '../evaluation/timeline.ts'
import type { RuleState } from '../evaluation/timeline-record.ts'
import { type Paint, painter } from './colour.ts'
import type { Context } from './context.ts'
import { safeText } from './escape.ts'
import { exitCodes } from './exit.ts'
import { jsonLine } from './json-report.ts'
import { upTo } from './limited.ts'
import { addRecordsOptions, type RecordsOptions, withRecords } from './records.ts'
import { colourOption, formatOf, formatOption, helpTail, type ShowOptions, UsageError } from './usage.ts'
import { verdictRow, verdictRowHeading } from './verdict-row.ts'

interface TimelineOptions extends RecordsOptions, ShowOptions, Pick<VerdictFilter, 'imageName' | 'imageDigest'> {
  readonly limit: number
}

const help = helpTail(
  [
    'imagegate verdicts timeline --image-name web.qcow2',
    'imagegate verdicts timeline --server http://127.0.0.1:8080 --image-name web.qcow2 --format json',
  ],
  ['0  shown', '3  could not run'],
  ['Newest first. Below each verdict stands why it may differ from the one before, and the rules that do.'],
)

function stateText(state: RuleState): string {
  return state === 'absent' ? state : `${state.result} (${state.effect})`
}

function changeLines({ change }: TimelineEntry): readonly string[] {
  if (change === undefined) return []
  const causes = change.causes.length === 0 ? 'nothing that decides' : change.causes.join(', ')
  const sections = change.sections === undefined ? '' : `: ${change.sections.join(', ')}`
  const rules = change.findings.map(({ rule, from, to }) => `${rule}: ${stateText(from)} -> ${stateText(to)}`)
  return [`changed: ${causes}${sections}`, ...rules].map((line) => `    ${safeText(line)}`)
}

function human(entries: readonly TimelineEntry[], paint: Paint): string {
  const lines = entries.flatMap((entry) => [verdictRow(entry.verdict, paint), ...changeLines(entry)])
  return `${[paint('bold', verdictRowHeading), ...lines].join('\n')}\n`
}

/** Adds `imagegate verdicts timeline`. */
export function addVerdictsTimeline(verdicts: Command, { terminal, exit }: Context): void {
  const command = verdicts.command('timeline').description('Shows what was said of one image, and why it changed.')
  addRecordsOptions(command)
    .option('--image-name <name>', 'of images of exactly this name')
    .option('--image-digest <digest>', 'of the image with this digest')
    .addOption(new Option('--limit <number>', 'at most so many, 1 to 100').argParser(upTo(100)).default(20))
    .addOption(formatOption())
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (options: TimelineOptions) => {
      const { imageName, imageDigest, limit, format, color } = options
      if (imageName === undefined && imageDigest === undefined) {
        throw new UsageError('Name the image: --image-name, --image-digest or both.')
      }
      const filter = {
        ...(imageName !== undefined && { imageName }),
        ...(imageDigest !== undefined && { imageDigest }),
      }
      const entries = await withRecords(options, terminal, (records) => records.timeline(filter, limit))
      const { stdout, colourUnwanted } = terminal
      const people = formatOf(format, stdout) === 'human'
      const paint = painter(color, stdout, colourUnwanted)
      await stdout.write(people ? human(entries, paint) : entries.map(jsonLine).join(''))
      exit(exitCodes.ready)
    })
}
