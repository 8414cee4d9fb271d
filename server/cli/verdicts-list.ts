import type { Command } from 'commander'
import type { VerdictFilter } from '../audit/store.ts'
import { painter } from './colour.ts'
import type { Context } from './context.ts'
import { exitCodes } from './exit.ts'
import { jsonLine } from './json-report.ts'
import { addLimitOptions, type LimitOptions, limited } from './limited.ts'
import { addRecordsOptions, type Records, type RecordsOptions, withRecords } from './records.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, formatOf, formatOption, helpTail, type ShowOptions } from './usage.ts'
import { addFilterOptions, filterOf } from './verdict-filters.ts'
import { verdictRow, verdictRowHeading } from './verdict-row.ts'

interface ListOptions extends VerdictFilter, LimitOptions, RecordsOptions, ShowOptions {}

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

async function* pagesOf(records: Records, options: ListOptions, pageSize: number) {
  for await (const { verdicts: rows, ...rest } of records.pages(filterOf(options), pageSize)) yield { rows, ...rest }
}

async function list(records: Records, options: ListOptions, terminal: Terminal): Promise<void> {
  const { stdout, stderr, colourUnwanted } = terminal
  const human = formatOf(options.format, stdout) === 'human'
  const paint = painter(options.color, stdout, colourUnwanted)
  if (human) await stdout.write(`${paint('bold', verdictRowHeading)}\n`)
  let more = false
  for await (const page of limited((size) => pagesOf(records, options, size), options)) {
    const lines = page.rows.map((row) => (human ? `${verdictRow(row, paint)}\n` : jsonLine(row)))
    await stdout.write(lines.join(''))
    if (stdout.closed) return
    more = page.more
  }
  if (more) await stderr.write('More verdicts may match; --all lists them.\n')
}

/** Adds `imagegate verdicts list`. */
export function addVerdictsList(verdicts: Command, { terminal, exit }: Context): void {
  const command = verdicts.command('list').description('Lists recorded verdicts, newest first.')
  addFilterOptions(command)
  addRecordsOptions(command)
  addLimitOptions(command)
    .addOption(formatOption())
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (options: ListOptions) => {
      await withRecords(options, terminal, (records) => list(records, options, terminal))
      exit(exitCodes.ready)
    })
}
