import type { Command } from 'commander'
import type { ApiKey } from '../audit/api-keys.ts'
import { painter } from './colour.ts'
import type { Context } from './context.ts'
import { addTargetOption, type TargetOptions } from './db-target.ts'
import { exitCodes } from './exit.ts'
import { jsonLine } from './json-report.ts'
import { withStore } from './keys-target.ts'
import { table } from './table.ts'
import { colourOption, formatOf, formatOption, helpTail, type ShowOptions } from './usage.ts'

interface ListOptions extends TargetOptions, ShowOptions {
  readonly tenant?: string
}

const help = helpTail(
  ['imagegate keys list', 'imagegate keys list --format json | jq -r \'select(.state == "in use").id\''],
  ['0  listed', '3  could not run'],
  ['The keys themselves are nowhere: what is kept is their digest.'],
)

function stateOf({ revokedAt, expiresAt }: ApiKey, now: Date): 'in use' | 'expired' | 'revoked' {
  if (revokedAt !== undefined) return 'revoked'
  return expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime() ? 'expired' : 'in use'
}

/** Adds `imagegate keys list`. */
export function addKeysList(keys: Command, { terminal, exit }: Context): void {
  const command = keys.command('list').description('Lists the API keys, also those that have ended.')
  addTargetOption(command)
    .option('--tenant <tenant>', 'of this tenant alone')
    .addOption(formatOption())
    .addOption(colourOption())
    .addHelpText('after', help)
    .action(async (options: ListOptions) => {
      const { stdout, colourUnwanted } = terminal
      const now = terminal.now()
      const found = await withStore(options, terminal, (store) => store.apiKeys(options.tenant))
      if (formatOf(options.format, stdout) === 'json') {
        const lines = found.map((key) => {
          const { digest: _, ...told } = key
          return jsonLine({ ...told, state: stateOf(key, now) })
        })
        await stdout.write(lines.join(''))
      } else {
        const rows = found.map((key) => [
          key.id,
          stateOf(key, now),
          key.tenant,
          key.role,
          key.createdAt.slice(0, 10),
          key.expiresAt?.slice(0, 16) ?? '-',
          key.name,
        ])
        const heading = ['ID', 'STATE', 'TENANT', 'ROLE', 'CREATED', 'EXPIRES', 'NAME']
        await stdout.write(table(heading, rows, painter(options.color, stdout, colourUnwanted)))
      }
      exit(exitCodes.ready)
    })
}
