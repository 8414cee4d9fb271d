import type { Command } from 'commander'
import { type Copied, copyDatabase } from '../audit/copy.ts'
import { openSource, openTarget } from '../audit/open-maintained.ts'
import { type DatabasePlace, databasePlace, placeName } from '../database.ts'
import { ImagegateError } from '../errors.ts'
import { progressOn } from './collect-progress.ts'
import type { Context } from './context.ts'
import { requireThere } from './db-target.ts'
import { errorReport } from './error-report.ts'
import { exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import type { Terminal } from './terminal.ts'
import { type Format, formatOf, formatOption, helpTail, UsageError } from './usage.ts'

interface CopyOptions {
  readonly from: string
  readonly to: string
  readonly format?: Format
}

const help = helpTail(
  [
    'imagegate db copy --from file:./data/imagegate.db --to postgres://imagegate@127.0.0.1/imagegate',
    'imagegate db copy --from postgres://imagegate@127.0.0.1/imagegate --to file:./copy.db',
  ],
  [
    '0  copied, and the same in every row',
    '1  the target holds other verdicts, or the copy is not the same',
    '3  could not run',
  ],
  [
    'Stop the service first. The source is kept from being written to until the copy has been compared: a service that',
    'still runs on it answers 503. Interrupted, the same command goes on where the target ends. Give a password by',
    'PGPASSWORD or ~/.pgpass: a command line can be seen by everyone on the machine.',
  ],
)

function placeOf(option: string, given: string): DatabasePlace {
  const place = databasePlace(given)
  if (place === undefined) throw new UsageError(`${option} is a file: URL, a path or a postgres: URL.`)
  return place
}

async function copy({ from, to }: CopyOptions, { stderr }: Terminal): Promise<Copied> {
  const [source, target] = [requireThere(placeOf('--from', from)), placeOf('--to', to)]
  if (placeName(source) === placeName(target)) throw new UsageError('--from and --to are the same database.')
  const shown = progressOn(stderr)
  const opened = await openSource(source)
  try {
    const made = await openTarget(target)
    try {
      return await copyDatabase({
        source: opened,
        target: made,
        progress(step, table, done, total) {
          shown.show(`${step === 'copy' ? 'copying' : 'comparing'} ${table}: ${done} of ${total} rows`)
        },
      })
    } finally {
      await made.close()
    }
  } finally {
    await opened.close()
    shown.clear()
  }
}

function human({ source, target, resumed, written, tenants }: Copied): string {
  const lines = tenants.flatMap(({ tenant, verdicts, digest, head, unsealed, checkpoint }) => [
    `  ${tenant}: ${verdicts} verdicts, ${digest}`,
    ...(head ? [`    chain of ${head.sequence}, ends with ${head.link}`] : []),
    ...(unsealed > 0 ? [`    ${unsealed} are not sealed yet`] : []),
    ...(checkpoint ? [`    last checkpoint at ${checkpoint.sequence}, of ${checkpoint.at}`] : []),
  ])
  const there = resumed > 0 ? `, ${resumed} were there` : ''
  return [`${source} to ${target}: ${written} rows copied${there}, the same in every row`, ...lines, ''].join('\n')
}

/** Adds `imagegate db copy`. */
export function addDbCopy(db: Command, { terminal, exit }: Context): void {
  db.command('copy')
    .description('Copies a database to another of either kind, and compares both row by row.')
    .requiredOption('--from <url>', 'the source, as IMAGEGATE_DATABASE_URL names it; it is not changed')
    .requiredOption('--to <url>', 'the target: empty, or what an interrupted copy has left')
    .addOption(formatOption())
    .addHelpText('after', help)
    .action(async (options: CopyOptions) => {
      const { stdout, stderr } = terminal
      try {
        const done = await copy(options, terminal)
        await stdout.write(formatOf(options.format, stdout) === 'human' ? human(done) : jsonReport(done, stdout))
        exit(exitCodes.ready)
      } catch (error) {
        if (!(error instanceof ImagegateError) || !['COPY_REFUSED', 'COPY_DIFFERS'].includes(error.code)) throw error
        await stderr.write(errorReport(error))
        exit(exitCodes.notReady)
      }
    })
}
