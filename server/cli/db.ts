import type { Command } from 'commander'
import type { Context } from './context.ts'
import { addDbBackup } from './db-backup.ts'
import { addDbCopy } from './db-copy.ts'
import { addDbExpireFacts } from './db-expire-facts.ts'
import { addDbMigrate } from './db-migrate.ts'
import { addDbStatus } from './db-status.ts'
import { helpTail } from './usage.ts'

const help = helpTail(
  [
    'imagegate db status',
    'imagegate db backup /backup/imagegate-2026-11-25.db',
    'imagegate db migrate',
    'imagegate db expire-facts --older-than 365d --reason "kept for a year"',
    'imagegate db copy --from file:./data/imagegate.db --to postgres://imagegate@127.0.0.1/imagegate',
  ],
  ['0  done', '1  for status: a migration is pending; for copy: refused, or not the same', '3  could not run'],
)

/** Makes a command `imagegate db`, with its own. */
export function addDb(command: Command, context: Context): void {
  command
    .description('Migrates, examines, backs up and copies the database that holds the audit record.')
    .addHelpText('after', help)
  addDbMigrate(command, context)
  addDbStatus(command, context)
  addDbBackup(command, context)
  addDbCopy(command, context)
  addDbExpireFacts(command, context)
}
