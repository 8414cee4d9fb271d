import type { Command } from 'commander'
import { databaseStatus } from '../audit/status.ts'
import { painter } from './colour.ts'
import type { Context } from './context.ts'
import { statusText } from './db-status-human.ts'
import { addTargetOption, type TargetOptions, targetOf, withDatabase } from './db-target.ts'
import { exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { colourOption, formatOf, formatOption, helpTail, type ShowOptions } from './usage.ts'

interface StatusOptions extends TargetOptions, ShowOptions {
  readonly count?: true
}

const help = helpTail(
  ['imagegate db status', 'imagegate db status --count --format json'],
  [
    '0  the database fits this program',
    '1  a migration is pending: db migrate, or a start of the service, applies it',
    '3  could not run',
  ],
  ['It reads alone and may run beside the service.'],
)

/** Adds `imagegate db status`. */
export function addDbStatus(db: Command, { terminal, exit }: Context): void {
  const command = db
    .command('status')
    .description('Tells migrations, size, tenants, chains and checkpoints of a database.')
  addTargetOption(command)
    .option('--count', 'count the rows of every table, which reads them all')
    .addOption(formatOption())
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (options: StatusOptions) => {
      const { stdout, colourUnwanted } = terminal
      const status = await withDatabase(targetOf(options, terminal), (database) =>
        databaseStatus(database, options.count),
      )
      const human = formatOf(options.format, stdout) === 'human'
      const paint = painter(options.color, stdout, colourUnwanted)
      await stdout.write(human ? statusText(status, paint) : jsonReport(status, stdout))
      exit(status.migrations.pending.length === 0 ? exitCodes.ready : exitCodes.notReady)
    })
}
