import { type Command, InvalidArgumentError, Option } from 'commander'
import type { VerdictFilter } from '../audit/store.ts'
import { painter } from './colour.ts'
import type { Context } from './context.ts'
import { exitCodes } from './exit.ts'
import { jsonLine } from './json-report.ts'
import { addRecordsOptions, type Records, type RecordsOptions, type RecordsPage, withRecords } from './records.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, formatOf, formatOption, helpTail, type ShowOptions } from './usage.ts'
import { addFilterOptions, filterOf } from './verdict-filters.ts'
import { verdictRow, verdictRowHeading } from './verdict-row.ts'

interface ListOptions extends VerdictFilter, RecordsOptions, ShowOptions {
  readonly limit: number
  readonly all?: true
}

const maxPage = 500

const help = helpTail(
  [
    'imagegate verdicts list --all --failed-rule linux.ext4.64bit --format json | jq -r .id',
    'imagegate verdicts list --database file:./data/imagegate.db --image-name web.qcow2',
    'imagegate verdicts list --server http://127.0.0.1:8080 --missing-fact /os/id',
    'imagegate verdicts list --text web- --severity block --caller key:ci',
  ],
  ['0  listed', '3  could not run'],
  ['Newest first; all given filters must hold. JSON is one line a verdict.'],
)

function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 1.')
  return Number(text)
}

interface Limited extends Pick<RecordsPage, 'verdicts'> {
  /** Whether more match. */
  readonly more: boolean
}

async function* limited(records: Records, options: ListOptions): AsyncGenerator<Limited, void, void> {
  let left = options.all === true ? Number.POSITIVE_INFINITY : options.limit
  for await (const page of records.pages(filterOf(options), Math.min(left, maxPage))) {
    const verdicts = page.verdicts.slice(0, left)
    left -= verdicts.length
    yield { verdicts, more: page.next !== undefined || verdicts.length < page.verdicts.length }
    if (left === 0) return
  }
}

async function list(records: Records, options: ListOptions, terminal: Terminal): Promise<void> {
  const { stdout, stderr, colourUnwanted } = terminal
  const human = formatOf(options.format, stdout) === 'human'
  const paint = painter(options.color, stdout, colourUnwanted)
  if (human) await stdout.write(`${paint('bold', verdictRowHeading)}\n`)
  let more = false
  for await (const page of limited(records, options)) {
    const lines = page.verdicts.map((row) => (human ? `${verdictRow(row, paint)}\n` : jsonLine(row)))
    await stdout.write(lines.join(''))
    if (stdout.closed) return
    more = page.more
  }
  if (more) await stderr.write('More verdicts match; --all lists them.\n')
}

/** Adds `imagegate verdicts list`. */
export function addVerdictsList(verdicts: Command, { terminal, exit }: Context): void {
  const command = verdicts.command('list').description('Lists recorded verdicts, newest first.')
  addFilterOptions(command)
  addRecordsOptions(command)
    .addOption(new Option('--limit <number>', 'at most so many').argParser(positive).default(50).conflicts('all'))
    .option('--all', 'all that match')
    .addOption(formatOption())
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (options: ListOptions) => {
      await withRecords(options, terminal, (records) => list(records, options, terminal))
      exit(exitCodes.ready)
    })
}
