import type { Command } from 'commander'
import { addAuditExport } from './audit-export.ts'
import { addAuditReads } from './audit-reads.ts'
import { addAuditVerify } from './audit-verify.ts'
import type { Context } from './context.ts'
import { helpTail } from './usage.ts'

const help = helpTail(
  [
    'imagegate audit verify --public-key checkpoints.pem --checkpoints /mnt/elsewhere/checkpoints',
    'imagegate audit export --output november.ndjson --from 2026-11-01 --facts --signing-key key.pem',
    'imagegate audit reads --server https://gate.example:8443 --operation getFacts',
  ],
  ['0  intact, exported, or listed', '1  tampered', '2  undecided', '3  could not run'],
)

/** Makes a command `imagegate audit`, with its own. */
export function addAudit(command: Command, context: Context): void {
  command.description('Verifies and exports the audit record, and tells who has read it.').addHelpText('after', help)
  addAuditVerify(command, context)
  addAuditExport(command, context)
  addAuditReads(command, context)
}
