import type { Command } from 'commander'
import { openStore } from '../audit/open.ts'
import { placeName } from '../database.ts'
import type { Context } from './context.ts'
import { addTargetOption, mayExist, type TargetOptions, withDatabase } from './db-target.ts'
import { exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { databaseOf } from './records.ts'
import type { Terminal } from './terminal.ts'
import { type Format, formatOf, formatOption, helpTail } from './usage.ts'

interface MigrateOptions extends TargetOptions {
  readonly format?: Format
}

interface Migrated {
  readonly database: string
  /** What this run applied, oldest first. */
  readonly applied: readonly string[]
  /** Migrations that the database has gone through in all. */
  readonly migrations: number
}

const help = helpTail(
  ['imagegate db migrate', 'imagegate db migrate --database file:/var/lib/imagegate/audit.db'],
  ['0  the database is at the newest migration', '3  could not run'],
  [
    'The service does the same when it starts. Back the database up first: migrations only go forward.',
    'A SQLite database that is not there is made; a PostgreSQL database must be there, empty.',
  ],
)

async function migrate(options: MigrateOptions, terminal: Terminal): Promise<Migrated> {
  const place = databaseOf(options.database, terminal)
  const state = () => withDatabase(place, (database) => database.migrations())
  const before = mayExist(place) ? (await state()).applied.length : 0
  const store = await openStore(place)
  await store.close()
  const { applied } = await state()
  const names = applied.slice(before).map(({ name }) => name)
  return { database: placeName(place), applied: names, migrations: applied.length }
}

function human({ database, applied, migrations }: Migrated): string {
  if (applied.length === 0) return `${database} went through all ${migrations} migrations already.\n`
  return [...applied.map((name) => `applied ${name}`), `${database} went through ${migrations} migrations.`, ''].join(
    '\n',
  )
}

/** Adds `imagegate db migrate`. */
export function addDbMigrate(db: Command, { terminal, exit }: Context): void {
  const command = db.command('migrate').description("Brings a database to this program's migrations.")
  addTargetOption(command)
    .addOption(formatOption())
    .addHelpText('after', help)
    .action(async (options: MigrateOptions) => {
      const { stdout } = terminal
      const done = await migrate(options, terminal)
      await stdout.write(formatOf(options.format, stdout) === 'human' ? human(done) : jsonReport(done, stdout))
      exit(exitCodes.ready)
    })
}
