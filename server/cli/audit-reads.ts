import type { Command } from 'commander'
import type { ReadFilter, ToldRead } from '../audit/reads.ts'
import { canonicalize } from '../digest.ts'
import { painter } from './colour.ts'
import type { Context } from './context.ts'
import { safeText } from './escape.ts'
import { exitCodes } from './exit.ts'
import { jsonLine } from './json-report.ts'
import { addLimitOptions, type LimitOptions, limited } from './limited.ts'
import { addRecordsOptions, type Records, type RecordsOptions, withRecords } from './records.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, formatOf, formatOption, helpTail, type ShowOptions, UsageError } from './usage.ts'
import { instant } from './verdict-filters.ts'
import { pad } from './wrap.ts'

interface ReadsOptions extends ReadFilter, LimitOptions, RecordsOptions, ShowOptions {}

const help = helpTail(
  [
    'imagegate audit reads --server https://gate.example:8443 --operation getFacts --from 2026-11-01',
    'imagegate audit reads --verdict 01a21391-e2bf-74b5-8b4b-864d24d11304 --all --format json | jq -r .caller',
  ],
  ['0  listed', '3  could not run'],
  ['Newest first; all given filters must hold. JSON is one line a read. Asking a server is a read as well.'],
)

// Fixed, so that a list of any length can be written as it is read.
const widths = { at: 24, status: 6, answered: 8, caller: 24, operation: 24 } as const

const heading = [
  pad('AT', widths.at),
  pad('STATUS', widths.status),
  pad('ANSWERED', widths.answered),
  pad('CALLER', widths.caller),
  pad('OPERATION', widths.operation),
  'ASKED FOR',
].join('  ')

function line({ at, status, answered, caller, operation, request }: ToldRead): string {
  const asked = { ...request.path, ...request.query }
  return [
    pad(safeText(at), widths.at),
    pad(String(status), widths.status),
    pad(answered === null ? '-' : String(answered), widths.answered),
    pad(safeText(caller), widths.caller),
    pad(safeText(operation), widths.operation),
    Object.keys(asked).length === 0 ? 'everything' : safeText(canonicalize(asked)),
  ].join('  ')
}

function filterOf({ from, to, caller, operation, verdict }: ReadsOptions): ReadFilter {
  return {
    ...(from !== undefined && { from: instant(from) }),
    ...(to !== undefined && { to: instant(to) }),
    ...(caller !== undefined && { caller }),
    ...(operation !== undefined && { operation }),
    ...(verdict !== undefined && { verdict }),
  }
}

async function list(records: Records, options: ReadsOptions, terminal: Terminal): Promise<void> {
  const { stdout, stderr, colourUnwanted } = terminal
  const human = formatOf(options.format, stdout) === 'human'
  if (human) await stdout.write(`${painter(options.color, stdout, colourUnwanted)('bold', heading)}\n`)
  let more = false
  for await (const page of limited((size) => records.reads(filterOf(options), size), options)) {
    await stdout.write(page.rows.map((read) => (human ? `${line(read)}\n` : jsonLine(read))).join(''))
    if (stdout.closed) return
    more = page.more
  }
  if (more) await stderr.write('More reads match; --all lists them.\n')
}

/** Adds `imagegate audit reads`. */
export function addAuditReads(audit: Command, { terminal, exit }: Context): void {
  const command = audit.command('reads').description('Lists who has read the audit trail, newest first.')
  addRecordsOptions(command)
    .option('--tenant <name>', 'whose record, of a database (default: default)')
    .option('--from <time>', 'read at or after: RFC 3339 in UTC, or a date')
    .option('--to <time>', 'read before: RFC 3339 in UTC, or a date')
    .option('--caller <name>', 'by this caller')
    .option('--operation <name>', 'of this operation, as the API description names it')
    .option('--verdict <id>', 'that asked for this verdict by its id')
  addLimitOptions(command)
    .addOption(formatOption())
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (options: ReadsOptions) => {
      if (options.server !== undefined && options.tenant !== undefined) {
        throw new UsageError('--tenant is for a database: a server answers for its own tenant.')
      }
      await withRecords(options, terminal, (records) => list(records, options, terminal))
      exit(exitCodes.ready)
    })
}
