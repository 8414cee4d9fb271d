import type { Command } from 'commander'
import type { Context } from './context.ts'
import { addTargetOption, type TargetOptions } from './db-target.ts'
import { exitCodes } from './exit.ts'
import { addKeysCreate } from './keys-create.ts'
import { addKeysList } from './keys-list.ts'
import { withStore } from './keys-target.ts'
import { helpTail } from './usage.ts'

const help = helpTail(
  [
    'imagegate keys create --role submitter --name "build pipeline" --expires 365d',
    'imagegate keys list',
    'imagegate keys revoke k7d3m2p9q4a5b6c7',
  ],
  ['0  done', '3  could not run'],
  ['They work on the database itself, beside a service that runs or without one; so the first key gets in.'],
)

function addKeysRevoke(keys: Command, { terminal, exit }: Context): void {
  const command = keys.command('revoke').description('Ends an API key now.').argument('<id>', 'id of the key')
  addTargetOption(command).action(async (id: string, options: TargetOptions) => {
    const at = terminal.now().toISOString()
    await withStore(options, terminal, (store) => store.changeApiKeys({ kind: 'revoke', id, at }))
    await terminal.stderr.write(`Key ${id} is revoked.\n`)
    exit(exitCodes.ready)
  })
}

/** Makes a command `imagegate keys`, with its own. */
export function addKeys(command: Command, context: Context): void {
  command.description('Makes, lists and revokes the API keys of the service.').addHelpText('after', help)
  addKeysCreate(command, context)
  addKeysList(command, context)
  addKeysRevoke(command, context)
}
