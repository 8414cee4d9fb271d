import { type Command, InvalidArgumentError, Option } from 'commander'
import type { VerdictFilter } from '../audit/store.ts'
import { painter } from './colour.ts'
import type { Context } from './context.ts'
import { exitCodes } from './exit.ts'
import { jsonLine } from './json-report.ts'
import { addRecordsOptions, type Records, type RecordsOptions, type RecordsPage, withRecords } from './records.ts'
import type { Terminal } from './terminal.ts'
import { colourOption, formatOf, formatOption, helpTail, type ShowOptions } from './usage.ts'
import { verdictRow, verdictRowHeading } from './verdict-row.ts'

interface ListOptions extends VerdictFilter, RecordsOptions, ShowOptions {
  readonly limit: number
  readonly all?: true
}

const maxPage = 500

const filters = {
  from: new Option('--from <time>', 'recorded at or after: RFC 3339 in UTC, or a date'),
  to: new Option('--to <time>', 'recorded before: RFC 3339 in UTC, or a date'),
  outcome: new Option('--outcome <outcome>', 'of this outcome').choices([
    'ready',
    'ready_with_warnings',
    'undetermined',
    'not_ready',
  ]),
  family: new Option('--family <family>', 'judged by this family of policies').choices([
    'windows-server',
    'linux',
    'nonstandard-linux',
    'unidentified',
  ]),
  osType: new Option('--os-type <type>', 'of this type of system').choices(['windows', 'linux', 'freebsd']),
  osId: new Option('--os-id <id>', 'of this distribution'),
  imageName: new Option('--image-name <name>', 'of images of exactly this name'),
  imageDigest: new Option('--image-digest <digest>', 'of the image with this digest'),
  policyVersion: new Option('--policy-version <version>', 'judged by this version'),
  failedRule: new Option('--failed-rule <rule>', 'in which this rule failed'),
  missingFact: new Option('--missing-fact <pointer>', 'that lack this fact'),
} as const satisfies Record<keyof VerdictFilter, Option>

const help = helpTail(
  [
    'imagegate verdicts list --all --failed-rule linux.ext4.64bit --format json | jq -r .id',
    'imagegate verdicts list --database file:./data/imagegate.db --image-name web.qcow2',
    'imagegate verdicts list --server http://127.0.0.1:8080 --missing-fact /os/id',
  ],
  ['0  listed', '3  could not run'],
  ['Newest first; all given filters must hold. JSON is one line a verdict.'],
)

function positive(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 1.')
  return Number(text)
}

/** A bare date is its midnight, as it is for the server. */
function instant(text: string): string {
  return /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text
}

function filterOf(options: ListOptions): VerdictFilter {
  const names = ['outcome', 'family', 'osType', 'osId', 'imageName', 'imageDigest', 'policyVersion'] as const
  const rest = [...names, 'failedRule', 'missingFact'] as const
  const plain = rest.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]))
  const times = (['from', 'to'] as const).flatMap((name) => {
    const time = options[name]
    return time === undefined ? [] : [[name, instant(time)]]
  })
  return Object.fromEntries([...plain, ...times])
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
  for (const option of Object.values(filters)) command.addOption(option)
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
