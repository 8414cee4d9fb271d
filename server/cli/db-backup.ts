import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Backup } from '../audit/backup-file.ts'
import { backupDatabase } from '../audit/open-maintained.ts'
import { progressOn } from './collect-progress.ts'
import type { Context } from './context.ts'
import { addTargetOption, type TargetOptions, targetOf } from './db-target.ts'
import { exitCodes } from './exit.ts'
import { jsonReport } from './json-report.ts'
import { byteText } from './sizes.ts'
import type { Terminal } from './terminal.ts'
import { type Format, formatOf, formatOption, helpTail } from './usage.ts'

interface BackupOptions extends TargetOptions {
  readonly force?: true
  readonly format?: Format
}

const help = helpTail(
  [
    'imagegate db backup /backup/imagegate-2026-11-25.db',
    'IMAGEGATE_DATABASE_URL=file:/backup/imagegate-2026-11-25.db imagegate serve',
  ],
  ['0  backed up and examined', '3  could not run: nothing stands under the name that was not there before'],
  [
    'The service may write meanwhile: the backup is the state of the moment at which it began, and every verdict that',
    'was answered before is in it. Of SQLite it is a database: a copy of it is what is restored. Of PostgreSQL it is a',
    'dump by pg_dump in its custom format, for pg_restore. docs/operations.md tells how to restore.',
  ],
)

function human({ file, bytes, digest, tenants }: Backup): string {
  const ends = tenants.map(({ tenant, head, unsealed }) => {
    const sealed = head ? `${head.sequence} sealed, the chain ends with ${head.link}` : 'no chain'
    return `  ${tenant}: ${sealed}${unsealed > 0 ? `; ${unsealed} unsealed` : ''}`
  })
  return [`backed up and examined: ${file}, ${byteText(bytes)}`, `  ${digest}`, ...ends, ''].join('\n')
}

async function backup(to: string, options: BackupOptions, terminal: Terminal): Promise<Backup> {
  const place = targetOf(options, terminal)
  const shown = progressOn(terminal.stderr)
  try {
    return await backupDatabase(place, {
      to,
      overwrite: options.force === true,
      progress: (doing) => shown.show(doing),
    })
  } finally {
    shown.clear()
  }
}

/** Adds `imagegate db backup`. */
export function addDbBackup(db: Command, { terminal, exit }: Context): void {
  const command = db
    .command('backup')
    .description('Copies the database into one file while the service writes, and examines it.')
    .argument('<file>', 'the backup')
    .option('--force', 'replace a file that is there')
  addTargetOption(command)
    .addOption(formatOption())
    .addHelpText('after', help)
    .action(async (file: string, options: BackupOptions) => {
      const { stdout } = terminal
      const done = await backup(resolve(file), options, terminal)
      await stdout.write(formatOf(options.format, stdout) === 'human' ? human(done) : jsonReport(done, stdout))
      exit(exitCodes.ready)
    })
}
