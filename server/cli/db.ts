import type { Command } from 'commander'
import type { Context } from './context.ts'
import { addDbBackup } from './db-backup.ts'
import { addDbMigrate } from './db-migrate.ts'
import { addDbStatus } from './db-status.ts'
import { helpTail } from './usage.ts'

const help = helpTail(
  ['imagegate db status', 'imagegate db backup /backup/imagegate-2026-11-25.db', 'imagegate db migrate'],
  ['0  done', '1  for status: a migration is pending', '3  could not run'],
)

/** Makes a command `imagegate db`, with its own. */
export function addDb(command: Command, context: Context): void {
  command
    .description('Migrates, examines and backs up the database that holds the audit record.')
    .addHelpText('after', help)
  addDbMigrate(command, context)
  addDbStatus(command, context)
  addDbBackup(command, context)
}
