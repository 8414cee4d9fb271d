import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import type { Context } from './context.ts'
import { addTargetOption, databaseFile, type TargetOptions, withDatabase } from './db-target.ts'
import { exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
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
    'A database that is not there is made.',
  ],
)

async function migrate(options: MigrateOptions, terminal: Terminal): Promise<Migrated> {
  const file = databaseFile(options, terminal)
  const state = () => withDatabase(options, terminal, (database) => database.migrations())
  const before = existsSync(file) ? (await state()).applied.length : 0
  const { openSqliteStore } = await import('../audit/sqlite.ts')
  const store = await openSqliteStore({ file })
  await store.close()
  const { applied } = await state()
  return { database: file, applied: applied.slice(before).map(({ name }) => name), migrations: applied.length }
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
